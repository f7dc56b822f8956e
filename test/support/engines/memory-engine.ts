import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'

/**
 * A docker daemon with containerd's store, as far as loading goes: like today's docker, it takes an archive that lacks
 * layers, and says so only in what it prints and in what it knows of the image.
 */
export interface MemoryEngine extends AsyncDisposable {
  /** Content by `sha256:` digest; deleting an entry loses it. */
  readonly blobs: Map<string, Buffer>
  /** Digests by name. */
  readonly tags: Map<string, string>
}

interface Document {
  readonly manifests?: readonly { readonly digest: string }[]
  readonly config?: { readonly digest: string }
  readonly layers?: readonly { readonly digest: string }[]
}

/** How an engine differs from today's docker. */
interface MemoryEngineOptions {
  /** Docker before API 1.48 does not say whether what an image has is there. Default: true. */
  readonly provesContent?: boolean
  /** Why it takes no archive. */
  readonly refusal?: string
}

export async function startMemoryEngine(
  socket: string,
  { provesContent = true, refusal }: MemoryEngineOptions = {},
): Promise<MemoryEngine> {
  const blobs = new Map<string, Buffer>()
  const tags = new Map<string, string>()
  const roots = new Set<string>()
  const read = (digest: string): Document => JSON.parse(String(blobs.get(digest) ?? '{}'))
  const missing = (digest: string): string | undefined =>
    [read(digest).config, ...(read(digest).layers ?? [])]
      .map((one) => one?.digest ?? 'no config')
      .find((one) => !blobs.has(one))
  const load = async (body: IncomingMessage): Promise<string> => {
    const files = await readTar(body)
    if (refusal !== undefined) return `${JSON.stringify({ error: refusal })}\n`
    for (const content of files.values()) blobs.set(digestOf(content), content)
    const { manifests = [] } = JSON.parse(String(files.get('index.json'))) as Document
    return manifests.map(({ digest }) => loaded(digest)).join('')
  }
  const loaded = (digest: string): string => {
    roots.add(digest)
    const first = imagesOf(digest).flatMap((image) => missing(image) ?? [])[0]
    const note =
      first === undefined
        ? ''
        : line(`Error unpacking image ${digest}: content ${first}: not found\n`)
    return `${line(`Loaded image ID: ${digest}\n`)}${note}`
  }
  const imagesOf = (digest: string): readonly string[] =>
    read(digest).manifests?.map((one) => one.digest) ?? [digest]
  const inspect = (digest: string): object => ({
    Id: digest,
    RepoTags: [...tags].flatMap(([name, target]) => (target === digest ? [name] : [])),
    ...(provesContent
      ? {
          Descriptor: { digest },
          Manifests: imagesOf(digest).map((ID) => ({ ID, Available: missing(ID) === undefined })),
        }
      : {}),
  })
  const server = createServer(async (incoming, response) => {
    const url = new URL(incoming.url ?? '', 'http://engine')
    const [, name = '', verb] =
      /^\/images\/(sha256:[0-9a-f]+|load)(?:\/(json|tag))?$/.exec(url.pathname) ?? []
    if (incoming.method === 'POST' && name === 'load') return response.end(await load(incoming))
    if (!roots.has(name)) return response.writeHead(404).end(JSON.stringify({ message: 'none' }))
    if (verb === 'json') return response.end(JSON.stringify(inspect(name)))
    const repo = url.searchParams.get('repo')?.replace(/^docker\.io\/library\//, '')
    tags.set(`${repo}:${url.searchParams.get('tag')}`, name)
    return response.writeHead(201).end()
  }).listen(socket)
  await once(server, 'listening')
  return {
    blobs,
    tags,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function line(stream: string): string {
  return `${JSON.stringify({ stream })}\n`
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

async function readTar(body: IncomingMessage): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for await (const entry of body.pipe(extract())) files.set(entry.header.name, await buffer(entry))
  return files
}
