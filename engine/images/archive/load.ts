import { loadImages } from '#builder'
import { type Bytes, type Digest, type Platform, shortDigest } from '#core'
import { familiarReference } from '#registry-client'
import { readReference } from '../image/find-image.ts'
import { imageEvent } from '../image/image-events.ts'
import type { Images } from '../images.ts'
import { type MessageSink, messagesOf, type ProgressMessage, transferMessage } from '../progress.ts'

/** The body and the query of `POST /images/load`. */
export interface LoadRequest {
  /** An archive of docker or of OCI's tools, packed or not. */
  readonly archive: Bytes
  readonly platform: Platform | undefined
  readonly quiet: boolean
  /** Aborts when the client goes away. */
  readonly signal?: AbortSignal | undefined
}

/** Takes the images of an archive into the store. Every failure is a message. */
export function loadArchive(images: Images, request: LoadRequest): AsyncIterable<ProgressMessage> {
  const { archive, platform, quiet } = request
  const load = async (sink: MessageSink, signal: AbortSignal): Promise<void> => {
    const before = await namesBefore(images)
    const loaded = await loadImages({
      root: images.options.root,
      label: 'the archive',
      unnamed: 'kept',
      ...{ archive, platform, signal },
      onEvent: (event) => {
        if (quiet || event.type !== 'progress') return
        const { id, current, total } = event
        sink.send(transferMessage('Loading layer', shortDigest(id as Digest), { current, total }))
      },
    })
    for (const { names, digest } of loaded) {
      const id = await report(images, digest)
      for (const name of names) {
        const text = familiarReference(readReference(name))
        const earlier = before.get(name)
        if (earlier !== undefined && earlier !== id) {
          sink.send({
            stream: `The image ${text} already exists, renaming the old one with ID ${earlier} to empty string\n`,
          })
        }
        sink.send({ stream: `Loaded image: ${text}\n` })
      }
      if (names.length === 0) sink.send({ stream: `Loaded image ID: ${id}\n` })
    }
  }
  return messagesOf(load, { first: 'message', signal: request.signal })
}

/** Ids by the names of the store. */
async function namesBefore(images: Images): Promise<ReadonlyMap<string, string>> {
  return await images.using((_, all) => {
    const names = all.flatMap(({ id, entries }) =>
      entries.flatMap(({ name }) => (name === undefined ? [] : ([[name, id]] as const))),
    )
    return new Map(names)
  })
}

/** @returns the id of the image */
async function report(images: Images, digest: Digest): Promise<string> {
  return await images.using((_, all) => {
    const image = all.find(({ entries }) => entries.some((one) => one.descriptor.digest === digest))
    if (image === undefined) return digest
    images.options.events.emit(imageEvent('load', image, image.id))
    return image.id
  })
}
