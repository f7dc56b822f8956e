import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Descriptor, hexOf, type Index, type Manifest, parseIndex } from '#core'

/** An in-toto statement, as far as tests look at it. */
export interface Statement {
  readonly _type: string
  readonly predicateType: string
  readonly subject: readonly {
    readonly name: string
    readonly digest: Readonly<Record<string, string>>
  }[]
  // biome-ignore lint/suspicious/noExplicitAny: what it is depends on its type
  readonly predicate: any
}

/** An image of an index with what is said of it. */
export interface AttestedImage {
  readonly entry: Descriptor
  readonly manifest: Manifest
  /** The manifest with the statements; absent: nothing is said. */
  readonly about: { readonly entry: Descriptor; readonly document: RawManifest } | undefined
  readonly statements: readonly Statement[]
}

/** Fields of a manifest as they are written. */
export interface RawManifest {
  readonly mediaType: string
  readonly artifactType: string
  readonly config: Readonly<Record<string, unknown>>
  readonly layers: readonly (Descriptor & { readonly annotations: Record<string, string> })[]
  readonly subject: Descriptor
}

/** The images of the index in an OCI layout, with the bytes of all statements. */
export function readAttested(layout: string): readonly AttestedImage[] {
  const blob = ({ digest }: Pick<Descriptor, 'digest'>): Buffer =>
    readFileSync(join(layout, 'blobs/sha256', hexOf(digest)))
  const [root] = parseIndex(readFileSync(join(layout, 'index.json'))).manifests
  if (root === undefined) throw new Error('the layout is empty')
  const { manifests }: Index = parseIndex(blob(root))
  const isAbout = ({ annotations }: Descriptor): boolean =>
    annotations?.['vnd.docker.reference.type'] === 'attestation-manifest'
  return manifests
    .filter((entry) => !isAbout(entry))
    .map((entry) => {
      const about = manifests.find(
        (one) => one.annotations?.['vnd.docker.reference.digest'] === entry.digest,
      )
      const manifest = JSON.parse(blob(entry).toString()) as Manifest
      if (about === undefined) return { entry, manifest, about, statements: [] }
      const document = JSON.parse(blob(about).toString()) as RawManifest
      const statements = document.layers.map(
        (layer) => JSON.parse(blob(layer).toString()) as Statement,
      )
      return { entry, manifest, about: { entry: about, document }, statements }
    })
}
