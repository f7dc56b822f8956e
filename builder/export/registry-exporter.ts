import { type Descriptor, type GraphSink, TsbuildError, writeGraph } from '#core'
import {
  formatReference,
  type Reference,
  type RegistryClient,
  type Repository,
} from '#registry-client'
import type { SignGraph } from '#signing'
import {
  checkPacked,
  type Exported,
  type Exporter,
  earlyCompression,
  type ImageOutput,
  type PackedOutput,
  wantedCompression,
} from './exporter.ts'
import { formedImagesOf, graphOf } from './graph.ts'
import type { ImageSet } from './image.ts'
import { checkOwners } from './layers/owner-check.ts'
import { formedGraph, formedRoot } from './manifests/formed-graph.ts'
import { checkForm, type ImageForm } from './manifests/image-form.ts'
import { type RegistrySinkOptions, registrySink } from './registry-sink.ts'

/** The registries that the build's tags name. */
interface RegistryOutput extends ImageOutput, PackedOutput {
  readonly type: 'registry'
  /** Nothing is tagged: the image is known by its digest only. Default: false. */
  readonly byDigest?: boolean
}

/** Pushes images under all of their tags. */
export const registryExporter: Exporter<RegistryOutput> = {
  takes: 'images',
  compression: earlyCompression,
  check: (output, request) => {
    checkForm(output, request)
    checkPacked(output)
    if (request.tags.length > 0) return
    throw new TsbuildError('cannot push an image without a name', {
      code: 'USAGE',
      hint: 'name it with -t REGISTRY/REPOSITORY:TAG',
    })
  },
  checkDestination: () => undefined,
  send: pushAll,
}

/** Tags of one repository go together; each repository gets its own upload. */
async function pushAll(
  output: RegistryOutput,
  exported: Exported,
): Promise<Descriptor | undefined> {
  const { images, tags, report, client } = exported
  const byRepository = Map.groupBy(tags, ({ registry, repository }) => `${registry}/${repository}`)
  const compression = wantedCompression(output)
  /** By registry: a repository that has the image by now. */
  const done = new Map<string, string>()
  let root: Descriptor | undefined
  for (const [name, references] of byRepository) {
    const [first, ...others] = references
    if (first === undefined) continue
    const sibling = done.get(first.registry)
    const push = (onProgress: PushOptions['onProgress']): Promise<Descriptor> =>
      pushImages(images, [first, ...others], {
        ...exported,
        client: client(),
        compression,
        level: output.compressionLevel,
        form: output,
        isTagged: output.byDigest !== true,
        sibling,
        onProgress,
      })
    root = await report(`pushing ${name}`, push, references.map(formatReference))
    done.set(first.registry, first.repository)
  }
  return root
}

/** How images are pushed to one repository. */
export interface PushOptions extends Omit<RegistrySinkOptions, 'tags'> {
  readonly client: RegistryClient
  /** Push layers, too, of which some files have owners that are presumed. */
  readonly ignoreChownErrors: boolean
  /** Default: true. */
  readonly isTagged?: boolean
  /** Default: manifests as they are made. */
  readonly form?: ImageForm | undefined
  /** Default: it is not signed. */
  readonly sign?: SignGraph | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Pushes to one repository under all of its tags, which come last.
 * @returns the manifest, or the index
 * @throws {TsbuildError} PERMISSION_DENIED for owners that are presumed, and registry failures
 */
export async function pushImages(
  set: ImageSet,
  references: readonly [Reference, ...Reference[]],
  options: PushOptions,
): Promise<Descriptor> {
  const { client, store, sign, form = {}, isTagged = true, signal } = options
  if (!options.ignoreChownErrors) checkOwners(set.images, store)
  const tags = isTagged ? references.flatMap(({ tag }) => tag ?? []) : []
  const repository = client.repository(references[0])
  const sink = registrySink(repository, { ...options, tags })
  const signed = sign === undefined ? sink : signedFirst(sink, { repository, sign })
  const formed = formedImagesOf(set)
  const { root } = await writeGraph(formedGraph(graphOf(set), formed, form), signed, { signal })
  return formedRoot(root, formed, form)
}

/** Nothing is found under its name without the signature that it is to have. */
function signedFirst<L>(
  sink: GraphSink<L>,
  { repository, sign }: { readonly repository: Repository; readonly sign: SignGraph },
): GraphSink<L> {
  return {
    ...sink,
    name: async (graph, options) => {
      await sign(repository, graph, options)
      await sink.name(graph, options)
    },
  }
}
