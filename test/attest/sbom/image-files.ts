import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { StackTree } from '#builder/layer'
import type { FoundPackages } from '../../../attest/sbom/package/found-packages.ts'
import { listPackages } from '../../../attest/sbom/scan/list-packages.ts'
import { temporaryDirectory } from '../../support/peers/index.ts'

/** Files of an image by their paths; a program is one with `mode`. */
export type ImageFiles = Readonly<
  Record<
    string,
    string | Buffer | { readonly bytes: Buffer; readonly mode: number } | { readonly link: string }
  >
>

/** What is found in an image with these files. */
export function packagesOf(files: ImageFiles): FoundPackages {
  using directory = temporaryDirectory('sbom')
  for (const [path, content] of Object.entries(files)) {
    const target = directory.file(`root/${path}`)
    mkdirSync(dirname(target), { recursive: true })
    const isPlain = typeof content === 'string' || Buffer.isBuffer(content)
    if (isPlain) writeFileSync(target, content)
    else if ('link' in content) symlinkSync(content.link, target)
    else writeFileSync(target, content.bytes, { mode: content.mode })
  }
  mkdirSync(directory.file('scratch'))
  const tree = new StackTree([directory.file('root')])
  try {
    return listPackages(tree, directory.file('scratch'))
  } finally {
    tree.close()
  }
}

/** The package URLs that are found. */
export function urlsOf(files: ImageFiles): readonly string[] {
  return packagesOf(files).packages.map(({ url }) => url)
}
