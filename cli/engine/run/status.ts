import { isJsonObject, type Json, TsbuildError } from '#core'
import { type EngineClient, pathOf } from '#engine/client'
import { objectOf } from '../format/json.ts'

/** Until when a container is waited for. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

/**
 * Begins to wait for a container. When this resolves the daemon is waiting, so that nothing that happens from now on
 * is missed.
 * @returns waits for the exit code
 */
export async function beginWait(
  client: EngineClient,
  id: string,
  condition: WaitCondition,
): Promise<() => Promise<number>> {
  const path = pathOf`/containers/${id}/wait`
  const { body } = await client.send({
    method: 'POST',
    path,
    query: { condition: condition === 'not-running' ? undefined : condition },
  })
  const text = readAll(body)
  text.catch(() => undefined)
  return async () => statusOf(JSON.parse(await text) as Json)
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function statusOf(answer: Json): number {
  const { StatusCode, Error: failure } = isJsonObject(answer) ? answer : {}
  const message = isJsonObject(failure) ? failure.Message : undefined
  if (typeof message === 'string' && message !== '') {
    throw new TsbuildError(`wait for the container: ${message}`, { code: 'ENGINE_FAILED' })
  }
  return Number(StatusCode ?? 0)
}

/** What is needed of a container to attach to it. */
export interface ContainerState {
  readonly id: string
  readonly tty: boolean
  readonly openStdin: boolean
  readonly isRunning: boolean
  readonly isPaused: boolean
  readonly isRestarting: boolean
  readonly autoRemove: boolean
}

/** @throws {EngineError} for a container that is not there */
export async function inspectContainer(
  client: EngineClient,
  name: string,
): Promise<ContainerState> {
  const answer = await client.json({ path: pathOf`/containers/${name}/json` })
  const document = objectOf(answer)
  const [config, state, host] = [document.Config, document.State, document.HostConfig].map(objectOf)
  return {
    id: String(document.Id ?? name),
    tty: config?.Tty === true,
    openStdin: config?.OpenStdin === true,
    isRunning: state?.Running === true,
    isPaused: state?.Paused === true,
    isRestarting: state?.Restarting === true,
    autoRemove: host?.AutoRemove === true,
  }
}
