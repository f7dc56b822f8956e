import { once } from 'node:events'
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { buffer, text } from 'node:stream/consumers'

/** What BuildKit made of a Dockerfile: an image, or the message with which it refused. */
type DockerBuild = { readonly id: string } | { readonly error: string }

/** Docker's HTTP interface, where starting a client for each build would take too long. */
export interface DockerApi extends AsyncDisposable {
  /**
   * Builds a context that is a tar with the Dockerfile in it, on the host's network. An ignore file
   * in it means nothing.
   * @param query options of `POST /build`, such as `target` and `buildargs`
   */
  build(context: Buffer, query: Readonly<Record<string, string>>): Promise<DockerBuild>
  /** An image as `docker save` writes it. */
  save(id: string): Promise<Buffer>
}

/** One line of the answer to `POST /build`. */
interface BuildMessage {
  readonly id?: string
  readonly aux?: { readonly ID?: string }
  readonly error?: string
}

/** Milliseconds without a byte from dockerd, after which a request fails. */
const SILENCE = 300_000

/** @param connections how many requests are sent at a time */
export function dockerApi(socketPath: string, connections: number): DockerApi {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const send = async (options: RequestOptions, body?: Buffer): Promise<IncomingMessage> => {
    const sent = request({ ...options, agent, socketPath, timeout: SILENCE })
    sent.on('timeout', () => sent.destroy(new Error(`dockerd is silent: ${options.path}`)))
    sent.end(body)
    const [response] = await once(sent, 'response')
    return response
  }
  return {
    build: async (body, query) => {
      const words = new URLSearchParams({ version: '2', networkmode: 'host', ...query })
      const headers = { 'content-type': 'application/x-tar' }
      const path = `/v1.41/build?${words}`
      return resultOf(await text(await send({ method: 'POST', path, headers }, body)))
    },
    save: async (id) => {
      const response = await send({ path: `/v1.41/images/${id}/get` })
      if (response.statusCode !== 200) throw new Error(await text(response))
      return await buffer(response)
    },
    [Symbol.asyncDispose]: async () => agent.destroy(),
  }
}

function resultOf(answer: string): DockerBuild {
  const messages = answer
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as BuildMessage & { readonly message?: string })
  for (const { id, aux, error, message } of messages) {
    const failure = error ?? message
    if (failure !== undefined) return { error: failure }
    if (id === 'moby.image.id' && aux?.ID !== undefined) return { id: aux.ID }
  }
  throw new Error(`no result in the answer of dockerd: ${answer}`)
}
