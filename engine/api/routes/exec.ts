import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type JsonObject, type Shape, shapes, TsbuildError } from '#core'
import type { Container, Exec } from '#engine/containers'
import { EXEC_SHAPE } from '#engine/model'
import { readBody } from '../http/body.ts'
import { versionOf } from '../http/request-version.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { connectClient } from '../streams/connect-client.ts'
import { parseDetachKeys } from '../streams/detach-keys.ts'
import { hijack } from '../streams/hijack.ts'
import { frame } from '../streams/stdcopy.ts'
import { sizeOf } from './containers.ts'

/** The body of POST /exec/{id}/start. */
interface StartBody {
  readonly Detach?: boolean
  readonly Tty?: boolean
  readonly ConsoleSize?: readonly number[]
}

const START_SHAPE: Shape<StartBody> = shapes.object({
  Detach: shapes.boolean,
  Tty: shapes.boolean,
  ConsoleSize: shapes.list(shapes.integer),
})

interface OfExec {
  readonly Params: { readonly id: string }
}

/** Processes beside those of containers. */
export function execRoutes(app: FastifyInstance, services: EngineServices): void {
  const { containers } = services
  app.post<OfExec>('/containers/:id/exec', async (request, reply) => {
    const container = containers.find(request.params.id)
    const body = await readBody(request, EXEC_SHAPE)
    if ((body.Cmd ?? []).length === 0) {
      throw new TsbuildError('No exec command specified', { code: 'USAGE' })
    }
    requireRunning(container, request.params.id)
    return await reply.status(201).send({ Id: containers.addExec(container, body).id })
  })
  app.post<OfExec>('/exec/:id/start', async (request, reply) => {
    const body = await readBody(request, START_SHAPE)
    const exec = containers.exec(request.params.id)
    if (body.Detach === true) {
      await startDetached(exec, body)
      return await reply.status(200).send()
    }
    await startAttached(exec, body, { request, reply })
    return reply
  })
  app.post<OfExec>('/exec/:id/resize', async (request, reply) => {
    containers.exec(request.params.id).resize(sizeOf(request))
    return await reply.status(200).send()
  })
  app.get<OfExec>(
    '/exec/:id/json',
    async (request) => await Promise.resolve(inspectExec(containers.exec(request.params.id))),
  )
}

/** @param name as the client has named it. @throws {TsbuildError} CONFLICT */
function requireRunning(container: Container, name: string): void {
  container.process()
  if (container.record.state.status !== 'paused') return
  throw new TsbuildError(`Container ${name} is paused, unpause the container before exec`, {
    code: 'CONFLICT',
  })
}

/** Answers when the program runs. */
async function startDetached(exec: Exec, body: StartBody): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  exec.run({ size: windowOf(exec, body) }, resolve).then(() => resolve(), reject)
  await promise
}

/** An error comes as a response only where the connection was not taken yet. */
async function startAttached(
  exec: Exec,
  body: StartBody,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<void> {
  const { Tty = false, AttachStdin, AttachStdout, AttachStderr, DetachKeys } = exec.body
  const detachKeys = Tty ? parseDetachKeys(DetachKeys || undefined) : undefined
  const kind = Tty ? 'raw' : 'multiplexed'
  const isNamed = !Tty && versionOf(request).minor >= 42
  exec.requireNew()
  // It begins to start meanwhile; nothing comes from it before this thread is back at its events.
  const running = exec.run({ size: windowOf(exec, body) }, () => undefined)
  const client = hijack(request, reply, isNamed ? 'multiplexed' : 'raw')
  connectClient(client, exec.streams, {
    kind,
    outputs: { stdout: AttachStdout === true, stderr: AttachStderr === true },
    stdin: AttachStdin === true,
    endsInput: true,
    detachKeys,
  })
  try {
    await running
  } catch (cause) {
    const text = `${cause instanceof Error ? cause.message : String(cause)}\r\n`
    if (!client.destroyed) client.write(Tty ? text : frame('stdout', Buffer.from(text)))
    exec.streams.disconnect()
  }
}

function windowOf(
  { body }: Exec,
  { ConsoleSize }: StartBody,
): {
  readonly columns: number
  readonly rows: number
} {
  const [rows = 0, columns = 0] = ConsoleSize ?? body.ConsoleSize ?? []
  return { rows, columns }
}

function inspectExec(exec: Exec): JsonObject {
  const { id, body, container, isRunning, exitCode, pid } = exec
  const [entrypoint = '', ...args] = body.Cmd ?? []
  return {
    ID: id,
    Running: isRunning,
    ExitCode: exitCode ?? null,
    ProcessConfig: {
      tty: body.Tty ?? false,
      entrypoint,
      arguments: args,
      privileged: body.Privileged ?? false,
      ...((body.User ?? '') === '' ? {} : { user: body.User ?? '' }),
    },
    OpenStdin: body.AttachStdin ?? false,
    OpenStderr: body.AttachStderr ?? false,
    OpenStdout: body.AttachStdout ?? false,
    CanRemove: false,
    ContainerID: container.id,
    DetachKeys: '',
    Pid: pid,
  }
}
