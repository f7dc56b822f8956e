import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BuildOptions, Output } from '#builder'
import type { FolderTransfers } from '#buildkit/files'
import type { Exporter } from '#buildkit/messages'
import { type Session, sendFile } from '#buildkit/session'
import { outputTransfer, reportTransfer } from '#buildkit/status'
import { readOutput } from '#buildkit/values'
import type { TemporaryDirectory } from '#cache'
import { type OnEvent, together, usageError } from '#core'
import { parseReference } from '#registry-client'

/** Where a client wants the result of a build. */
export interface ClientOutputs {
  readonly options: Pick<BuildOptions, 'outputs' | 'tags' | 'insecureRegistries'>
  /**
   * Sends what goes to the client: archives while they are written, folders when they are complete.
   * @param written when everything is
   * @throws {TsbuildError} as the client answers, and what `written` throws
   */
  readonly send: (written: Promise<unknown>, signal: AbortSignal) => Promise<void>
}

/** What outputs are opened with. */
export interface OutputDeps {
  readonly session: () => Promise<Session>
  /** For folders that are sent in the end. */
  readonly scratch: TemporaryDirectory
  readonly transfers: FolderTransfers
  readonly onEvent: OnEvent
}

const METHOD = '/moby.filesync.v1.FileSend/DiffCopy'

type Sending = (signal: AbortSignal) => Promise<void>

/**
 * What clients ask for as outputs. Archives go to the client as they are written, folders when they are complete.
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function clientOutputs(
  exporters: readonly Exporter[],
  { session, scratch, transfers, onEvent }: OutputDeps,
): ClientOutputs {
  const outputs: Output[] = []
  const names = new Set<string>()
  const insecure: boolean[] = []
  const streams: Sending[] = []
  const archives: PassThrough[] = []
  const folders: Sending[] = []
  for (const [index, exporter] of exporters.entries()) {
    const folder = `${scratch.path}/output-${index}`
    const request = readOutput(fieldsOf(exporter, folder))
    for (const name of request.names) names.add(name)
    insecure.push(request.isInsecure === true)
    for (const output of request.outputs) {
      if (output.type === 'local') {
        const vertex = outputTransfer('local', outputs.length)
        outputs.push(output)
        folders.push(async (signal) => {
          const stream = (await session()).open(METHOD, { metadata: metadataOf(index), signal })
          await reportTransfer(vertex, onEvent, (onProgress) =>
            transfers.sendFolder(stream, folder, { signal, onProgress }),
          )
        })
      } else if (isArchive(output)) {
        const bytes = new PassThrough()
        archives.push(bytes)
        outputs.push(archive(output, bytes))
        streams.push(async (signal) => {
          await pipeline(bytes, sendFile(await session(), { exporter: index, signal }), { signal })
        })
      } else outputs.push(output)
    }
  }
  const tags = [...names]
  return {
    options: {
      ...{ outputs, tags },
      insecureRegistries: insecure.includes(true)
        ? tags.map((tag) => parseReference(tag).registry)
        : [],
    },
    send: async (written, signal) => {
      const end = async (): Promise<void> => {
        await written
        for (const bytes of archives) bytes.end()
      }
      await together([end, ...streams], signal)
      for (const send of folders) await send(signal)
    },
  }
}

/** Of a type of docker's own: the store that its images are in. */
const STORE_TYPES: ReadonlySet<string> = new Set(['moby'])

/** Where the client puts it, and what it removes there, is the client's business; digests are of images anyway. */
const OF_CLIENT: ReadonlySet<string> = new Set(['dest', 'mode', 'prefer-image-digest'])

function fieldsOf({ Type, Attrs }: Exporter, folder: string): readonly string[] {
  const type = STORE_TYPES.has(Type) ? 'store' : Type
  if (Attrs.has('type')) throw usageError('an output has two types')
  const given = [...Attrs].filter(([key]) => !OF_CLIENT.has(key))
  return [
    `type=${type}`,
    ...given.map(([key, value]) => `${key}=${value}`),
    ...(type === 'local' ? [`dest=${folder}`] : []),
  ]
}

type Archive = Extract<Output, { readonly type: 'docker' | 'oci' | 'tar' }>
type Loaded = Extract<Output, { readonly type: 'load' }>

/** What is one file for the client. */
function isArchive(output: Output): output is Archive | Loaded {
  return ['docker', 'load', 'oci', 'tar'].includes(output.type)
}

/** What the client loads, or writes to a file: an archive for it to take. */
function archive(output: Archive | Loaded, dest: PassThrough): Output {
  if (output.type !== 'load') return { ...output, dest }
  const { engine: _, context: __, ...form } = output
  return { ...form, type: 'docker', dest }
}

function metadataOf(index: number): Readonly<Record<string, string>> {
  return { 'buildkit-attachable-exporter-id': `${index}` }
}
