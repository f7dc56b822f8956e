/**
 * Loading into podman, by podman: it is given a folder with the image, in which layers are links into the store. It
 * reads those that it does not have, so what it has costs nothing, and need not be here. See ADR 63.
 */
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ioError, TsbuildError } from '#core'
import { familiarReference, formatReference } from '#registry-client'
import { blobPath, layoutIndex } from './image-archive.ts'
import type { LoadOptions } from './load-docker.ts'
import type { Offer, OfferedLayer } from './offer.ts'
import { type PodmanOutcome, type PodmanRun, runPodman } from './podman-program.ts'

/** How an image is loaded into podman. */
export interface PodmanOptions extends LoadOptions {
  readonly env: PodmanRun['env']
  /** An empty folder. */
  readonly folder: string
}

/**
 * Loads the image of this machine's platform, and names it.
 * @throws {TsbuildError} NOT_FOUND without podman, IO_FAILED with what it says, CANCELLED
 */
export async function loadIntoPodman(offer: Offer, options: PodmanOptions): Promise<void> {
  const id = offer.local.config.digest.slice('sha256:'.length)
  const tags = offer.names.map(formatReference)
  // It also says whether the image is there.
  const isThere = tags.length > 0 ? ['tag', id, ...tags] : ['image', 'exists', id]
  if ((await podman(isThere, options)).status === 0) return
  const layout = writeLayout(offer, options.folder)
  const missing = offer.local.layers.filter((layer) => !linkLayer(layer, layout))
  const pulled = await pull(layout, options)
  if (pulled.status !== 0) {
    // What podman was to have, it may not have.
    if (missing.length === 0) throw refusedError('load into podman', pulled)
    for (const layer of missing) await writeLayer(layer, layout, options)
    const again = await pull(layout, options)
    if (again.status !== 0) throw refusedError('load into podman', again)
  }
  if (tags.length > 0) {
    const named = await podman(['tag', id, ...tags], options)
    if (named.status !== 0) throw refusedError(`name ${familiarNames(offer)} in podman`, named)
  }
  // Podman names an image after its folder.
  await podman(['untag', id, `localhost/${basename(layout)}`], options)
}

function familiarNames({ names }: Offer): string {
  return names.map(familiarReference).join(', ')
}

/** By a name that does not say where it is, since that becomes a name of the image. */
function pull(layout: string, options: PodmanOptions): Promise<PodmanOutcome> {
  const args = ['pull', '--quiet', `oci:${basename(layout)}`]
  return podman(args, { ...options, directory: dirname(layout) })
}

async function podman(args: readonly string[], run: PodmanRun): Promise<PodmanOutcome> {
  const outcome = await runPodman(args, run)
  if (outcome !== undefined) return outcome
  throw new TsbuildError('load into podman: there is no program podman in $PATH', {
    code: 'NOT_FOUND',
    hint: 'install podman, or load into docker with --load-into docker',
  })
}

/** Spec: image-spec v1.1 image-layout.md */
function writeLayout({ local, documents }: Offer, folder: string): string {
  const layout = join(folder, `tsbuild-${process.pid}`)
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(layout, 'index.json'), layoutIndex({ root: local.manifest }))
  for (const { descriptor, bytes } of documents) {
    writeFileSync(join(layout, blobPath(descriptor)), bytes)
  }
  return layout
}

/** @returns false for a layer that the store does not have */
function linkLayer(layer: OfferedLayer, layout: string): boolean {
  const path = layer.path()
  if (path === undefined) return false
  const link = join(layout, blobPath(layer.descriptor))
  // A layer may be there twice.
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined) symlinkSync(path, link)
  return true
}

async function writeLayer(
  { descriptor, open: openBlob }: OfferedLayer,
  layout: string,
  { onProgress, signal }: LoadOptions,
): Promise<void> {
  const path = join(layout, blobPath(descriptor))
  const { digest: id, size: total } = descriptor
  let current = 0
  try {
    await using file = await open(path, 'w')
    for await (const chunk of await openBlob({ signal })) {
      await file.writeFile(chunk)
      current += chunk.length
      onProgress({ id, current, total, done: current === total })
    }
  } catch (cause) {
    throw ioError(`write ${path}`, cause)
  }
}

function refusedError(doing: string, { stderr }: PodmanOutcome): TsbuildError {
  const lines = stderr.trim().split('\n')
  const reason = (lines.at(-1) ?? '').replace(/^Error: /, '')
  return new TsbuildError(`${doing}: ${reason}`, { code: 'IO_FAILED' })
}
