import { begin, finish } from '../../support/socket-http.ts'

/** An answer of dockerd. */
export interface DockerAnswer {
  readonly status: number
  /** Of JSON; of several lines of it, each. */
  readonly documents: readonly unknown[]
}

/** Sends a request to a daemon. @param path with the version: `/v1.41/images/json` */
export async function askDocker(
  socket: string,
  [method, path]: readonly [method: string, path: string],
  archive?: Buffer,
): Promise<DockerAnswer> {
  const sent = begin(socket, method, path)
  sent.setHeader('content-type', 'application/x-tar')
  const { status, body } = await finish(sent, archive)
  const lines = body.split('\n').filter((line) => line.trim() !== '')
  return { status, documents: lines.map((line) => JSON.parse(line) as unknown) }
}
