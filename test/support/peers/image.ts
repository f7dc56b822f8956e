import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'
import { readTree, type TreeEntry } from './tree.ts'

/** An image as skopeo and umoci see it. */
export interface ReadImage {
  /** The image's config document, as it was stored. */
  readonly config: ImageDocument
  /** The unpacked root file system; it lives as long as the directory it was unpacked in. */
  readonly rootfs: string
  /** An OCI runtime bundle made from the image: `rootfs` and `config.json`. */
  readonly bundle: string
  /** By path; sorted. */
  readonly tree: ReadonlyMap<string, TreeEntry>
}

export interface ImageDocument {
  readonly [key: string]: unknown
  readonly config?: Readonly<Record<string, unknown>>
  readonly history?: readonly HistoryEntry[]
  readonly rootfs?: { readonly diff_ids: readonly string[] }
}

interface HistoryEntry {
  readonly created?: string
  readonly created_by?: string
  readonly empty_layer?: boolean
}

/** Copies an image with skopeo. References are skopeo's: `docker://…`, `oci:dir:tag`, …. */
export async function copyImage(from: string, to: string): Promise<void> {
  // skopeo 1.9 calls the layers of a docker archive gzip when it is to leave them as they are.
  const isPlain = from.startsWith('oci:') && to.startsWith('oci:')
  await run('skopeo', [
    ...['--insecure-policy', 'copy', '--quiet'],
    ...['--src-tls-verify=false', '--dest-tls-verify=false'],
    ...(isPlain ? ['--dest-oci-accept-uncompressed-layers'] : []),
    ...[from, to],
  ])
}

/** The config document of an image, byte for byte what is stored. */
async function readConfig(reference: string): Promise<ImageDocument> {
  const args = ['--insecure-policy', 'inspect', '--config', '--raw', '--tls-verify=false']
  return JSON.parse((await run('skopeo', [...args, reference])).stdout) as ImageDocument
}

/**
 * Fetches an image with skopeo and unpacks it with umoci. Needs root, for owners and devices.
 * @param directory an existing directory that receives it under `name`
 */
export async function readImage(
  reference: string,
  directory: string,
  name: string,
): Promise<ReadImage> {
  const layout = join(directory, `${name}-layout`)
  const bundle = join(directory, name)
  mkdirSync(layout)
  await copyImage(reference, `oci:${layout}:image`)
  await run('umoci', ['unpack', '--image', `${layout}:image`, bundle])
  const rootfs = join(bundle, 'rootfs')
  return {
    config: await readConfig(reference),
    rootfs,
    bundle,
    tree: await readTree(rootfs),
  }
}

/** The OCI runtime configuration that umoci wrote beside the root file system. */
export function readRuntimeConfig(bundle: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as Record<string, unknown>
}
