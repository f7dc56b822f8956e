import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  busyboxBase,
  debianBase,
  pushLayout,
  startRegistry,
  startRegistryTwin,
  temporaryDirectory,
} from '../../test/support/peers/index.ts'
import type { Base } from '../builders/builder.ts'
import { writeContext } from '../contexts/dockerfile.ts'
import type { BaseName, Bench } from './bench.ts'

/** OCI layouts of the base images. */
const LAYOUTS: Readonly<Record<BaseName, () => Promise<string>>> = {
  busybox: busyboxBase,
  local: busyboxBase,
  debian: debianBase,
}

/** Starts the registry; what is needed of base images is made when it is asked for. */
export async function openBench(): Promise<Bench & AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const registry = opening.use(await startRegistry())
  const directory = opening.use(temporaryDirectory('bench'))
  const file = (name: string): string => directory.file(name)
  // As every user has one: compiled code is kept in it.
  mkdirSync(file('home'))
  const bases = new Map<BaseName, Promise<Base>>()
  const pushed = async (name: BaseName): Promise<Base> => {
    const reference = `${registry.host}/${name}:latest`
    await pushLayout(await LAYOUTS[name](), reference)
    const from = `FROM ${reference}`
    return {
      name: reference,
      prime: writeContext(file(`${name}-prime`), [from, 'RUN true']),
      itself: name === 'local' ? writeContext(file(`${name}-itself`), [from]) : undefined,
    }
  }
  const opened = opening.move()
  return {
    file,
    registry: registry.host,
    serveRegistry: (pid) => startRegistryTwin(registry, pid),
    base: (name) => {
      const known = bases.get(name) ?? pushed(name)
      bases.set(name, known)
      return known
    },
    layer: async (name) => layerIn(await LAYOUTS[name]()),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** The blob of the lowest layer of the image of an OCI layout. */
function layerIn(layout: string): string {
  const blob = (digest: string): string => join(layout, 'blobs', digest.replace(':', '/'))
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
  const { layers } = JSON.parse(readFileSync(blob(manifests[0].digest), 'utf8'))
  return blob(layers[0].digest)
}
