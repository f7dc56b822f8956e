import {
  type Descriptor,
  type EncodedDocument,
  type GraphDraft,
  type ManifestDraft,
  type Platform,
  parseManifestOrIndex,
  serializeIndex,
  serializeManifest,
  toDockerMediaType,
} from '#core'
import { annotationsFor, type FormedImages, type ImageForm } from './image-form.ts'

/** The same graph with what an output asks for in its manifests; entries that are no images stay. */
export function formedGraph<L>(
  draft: GraphDraft<L>,
  images: FormedImages,
  form: ImageForm,
): GraphDraft<L> {
  if (form.annotations === undefined && form.ociMediaTypes !== false) return draft
  const { index } = draft
  return {
    ...draft,
    manifests: draft.manifests.map((one, position) => {
      return formedManifest(one, images.platforms[position], form)
    }),
    index: index && ((manifests) => formedIndex(index(manifests), images, form)),
  }
}

/** The root of a graph as what refers to it describes it. */
export function formedRoot(
  root: Descriptor,
  { isIndex, platforms }: FormedImages,
  form: ImageForm,
): Descriptor {
  const level = isIndex ? 'index-descriptor' : 'manifest-descriptor'
  return annotated(root, annotationsFor(form, level, platforms[0]))
}

function formedManifest<L>(
  { config, layers, assemble }: ManifestDraft<L>,
  platform: Platform | undefined,
  form: ImageForm,
): ManifestDraft<L> {
  const typed = typesOf(form)
  return {
    config: typed(config),
    layers,
    assemble: (described, blobs) => {
      const document = assemble(described, blobs.map(layerOf(form)))
      const parsed = parseManifestOrIndex(document.bytes, document.mediaType)
      if (parsed.kind === 'index') throw new Error('an image has a manifest')
      const manifest = annotated(typed(parsed.manifest), annotationsFor(form, 'manifest', platform))
      return { mediaType: manifest.mediaType, bytes: serializeManifest(manifest) }
    },
  }
}

function formedIndex(
  document: EncodedDocument,
  { platforms }: FormedImages,
  form: ImageForm,
): EncodedDocument {
  const parsed = parseManifestOrIndex(document.bytes, document.mediaType)
  if (parsed.kind === 'manifest') throw new Error('several images have an index')
  // What is said about images is listed after them.
  const manifests = parsed.index.manifests.map((entry, position) => {
    const platform = platforms[position]
    if (platform === undefined) return entry
    return annotated(entry, annotationsFor(form, 'manifest-descriptor', platform))
  })
  const index = annotated(
    typesOf(form)({ ...parsed.index, manifests }),
    annotationsFor(form, 'index'),
  )
  return { mediaType: index.mediaType, bytes: serializeIndex(index) }
}

function typesOf({
  ociMediaTypes = true,
}: ImageForm): <T extends { readonly mediaType: string }>(typed: T) => T {
  if (ociMediaTypes) return (typed) => typed
  return (typed) => ({ ...typed, mediaType: toDockerMediaType(typed.mediaType) })
}

/** Docker's manifests say nothing of a layer. */
function layerOf(form: ImageForm): (layer: Descriptor) => Descriptor {
  if (form.ociMediaTypes !== false) return (layer) => layer
  return ({ annotations: _, ...layer }) => typesOf(form)(layer)
}

function annotated<T extends { readonly annotations?: Readonly<Record<string, string>> }>(
  one: T,
  added: Readonly<Record<string, string>> | undefined,
): T {
  return added === undefined ? one : { ...one, annotations: { ...one.annotations, ...added } }
}
