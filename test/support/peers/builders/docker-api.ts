import { buffer } from 'node:stream/consumers'
import { Pool } from 'undici'

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

/** @param connections how many requests are sent at a time */
export function dockerApi(socketPath: string, connections: number): DockerApi {
  const pool = new Pool('http://docker', { socketPath, connections, bodyTimeout: 120_000 })
  return {
    build: async (body, query) => {
      const words = new URLSearchParams({ version: '2', networkmode: 'host', ...query })
      const response = await pool.request({
        method: 'POST',
        path: `/v1.41/build?${words}`,
        headers: { 'content-type': 'application/x-tar' },
        body,
      })
      return resultOf(await response.body.text())
    },
    save: async (id) => {
      const response = await pool.request({ method: 'GET', path: `/v1.41/images/${id}/get` })
      if (response.statusCode !== 200) throw new Error(await response.body.text())
      return await buffer(response.body)
    },
    [Symbol.asyncDispose]: () => pool.close(),
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
