import { connect } from 'node:net'
import { errnoOf, TsbuildError } from '#core'
import { chosenEndpoint, type DockerEndpoint, parseEndpoint, usualSockets } from '#engine/client'
import { hasPodman } from './podman-program.ts'

/** What an image is loaded into. `auto`: what the user has chosen for docker, or what is there. */
export type EngineChoice = 'auto' | 'docker' | 'podman'

/** A container engine of this machine, or one that is reached from it. */
export type Engine =
  | { readonly kind: 'docker'; readonly endpoint: DockerEndpoint }
  | { readonly kind: 'podman' }

/** What is asked for. */
export interface EngineRequest {
  readonly engine: EngineChoice
  /** A docker context. */
  readonly context: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * The engine that gets an image: docker where it is chosen or answers, else podman, by its program, or by its socket
 * where there is only that.
 * @throws {TsbuildError} NOT_FOUND when there is none, PERMISSION_DENIED for a docker that this user may not use
 */
export async function chooseEngine(request: EngineRequest): Promise<Engine> {
  const { engine, context, env } = request
  if (engine === 'podman') return await findPodman(request)
  const chosen = chosenEndpoint(env, { context })
  if (chosen !== undefined) return { kind: 'docker', endpoint: chosen }
  for (const path of usualSockets(env)) {
    if (await answers(path)) return { kind: 'docker', endpoint: { kind: 'unix', path } }
  }
  if (engine === 'auto') return await findPodman(request)
  throw new TsbuildError('there is no docker daemon to load into', {
    code: 'NOT_FOUND',
    hint: `none answers at ${usualSockets(env).join(' or ')}: start it, or name another one with $DOCKER_HOST`,
  })
}

async function findPodman({ engine, env }: EngineRequest): Promise<Engine> {
  // A service elsewhere cannot see the files of this machine.
  if (env.CONTAINER_HOST) {
    return { kind: 'docker', endpoint: parseEndpoint(env.CONTAINER_HOST, undefined) }
  }
  if (hasPodman(env)) return { kind: 'podman' }
  const { XDG_RUNTIME_DIR } = env
  const folders = [...(XDG_RUNTIME_DIR ? [XDG_RUNTIME_DIR] : []), '/run']
  for (const folder of folders) {
    const path = `${folder}/podman/podman.sock`
    if (await answers(path)) return { kind: 'docker', endpoint: { kind: 'unix', path } }
  }
  const what = engine === 'podman' ? 'podman' : 'container engine'
  throw new TsbuildError(`there is no ${what} to load the image into`, {
    code: 'NOT_FOUND',
    hint:
      engine === 'podman'
        ? 'there is neither the program nor its socket: install podman'
        : 'neither docker nor podman is there: start docker or name it with $DOCKER_HOST, or write an archive with -o type=docker,dest=FILE',
  })
}

/**
 * Whether something listens on a socket.
 * @throws {TsbuildError} PERMISSION_DENIED when this user may not ask
 */
async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>()
  const socket = connect(path, () => resolve(undefined))
  socket.on('error', resolve)
  const failure = await promise
  socket.destroy()
  if (errnoOf(failure) !== 'EACCES') return failure === undefined
  throw new TsbuildError(`this user may not use docker at ${path}`, {
    code: 'PERMISSION_DENIED',
    hint: 'add the user to the group docker, or load into podman with --load-into podman',
  })
}
