/** As much of BuildKit's services as makes clients open a session, and wait. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { ServerCredentials } from '@grpc/grpc-js'
import {
  BYTES_MESSAGE,
  GATEWAY_SOLVE_REQUEST,
  LIST_WORKERS_RESPONSE,
  PONG_RESPONSE,
  RETURN_REQUEST,
  SOLVE_REQUEST,
  type SolveRequest,
  STATUS_REQUEST,
} from '#buildkit/messages'
import { type Session, Sessions, sessionIdentity } from '#buildkit/session'
import { temporaryDirectory } from '../../../support/peers/index.ts'
import { type PeerCall, serverOf, unary } from './grpc-peer.ts'

/** A client that waits for what becomes of its build. */
export interface WaitingClient {
  readonly session: Session
  readonly request: SolveRequest
  /** What the client asks for once it is asked what to do. */
  readonly frontend: Promise<ReadonlyMap<string, string>>
}

const WORKER = { ID: 'w', platforms: [{ OS: 'linux', Architecture: 'amd64' }] }
const CAPS = [
  ...['solve.base', 'resolveimage', 'readfile', 'return', 'returnmap', 'frontend.caps'],
  ...['gateway.solve.metadata', 'frontend.inputs', 'proto.refarray', 'importcaches'],
]

/** Starts a client with the address of a daemon, runs `work` with its session, and ends it. */
export async function withClient(
  command: (address: string) => Promise<readonly [program: string, ...args: string[]]>,
  { env, input }: { readonly env: NodeJS.ProcessEnv; readonly input?: Uint8Array },
  work: (client: WaitingClient) => Promise<void>,
): Promise<void> {
  using place = temporaryDirectory('small-daemon')
  using sessions = new Sessions()
  const solving = Promise.withResolvers<SolveRequest>()
  /** Builds by which clients find out what the daemon can; they build nothing. */
  const internal = new Map<string, () => void>()
  const statuses = new Map<string, PeerCall>()
  const asking = Promise.withResolvers<ReadonlyMap<string, string>>()
  const hold = (call: PeerCall): void => void call.on('error', () => undefined)
  const server = serverOf({
    '/moby.buildkit.v1.Control/ListWorkers': unary(() =>
      LIST_WORKERS_RESPONSE.encode({ record: [WORKER] }),
    ),
    '/moby.buildkit.v1.Control/Info': unary(() => Buffer.alloc(0)),
    '/moby.buildkit.v1.Control/Status': (call) => {
      hold(call)
      call.once('data', (message: Buffer) => statuses.set(STATUS_REQUEST.decode(message).Ref, call))
    },
    '/moby.buildkit.v1.Control/Solve': (call) => {
      hold(call)
      call.once('data', (message: Buffer) => {
        const request = SOLVE_REQUEST.decode(message)
        if (!request.Internal) return solving.resolve(request)
        internal.set(request.Ref, () => {
          call.write(Buffer.alloc(0))
          call.end()
          statuses.get(request.Ref)?.end()
        })
      })
    },
    '/moby.buildkit.v1.Control/Session': (call) => {
      const headers = call.metadata.getMap() as Record<string, string>
      const methods = call.metadata.get('x-docker-expose-session-grpc-method').map(String)
      const key = 'x-docker-expose-session-grpc-method'
      sessions.add(bytesOf(call), sessionIdentity({ ...headers, [key]: methods }))
    },
    '/moby.buildkit.v1.frontend.LLBBridge/Ping': unary(() => {
      const caps = CAPS.map((ID) => ({ ID, Enabled: true }))
      return PONG_RESPONSE.encode({ FrontendAPICaps: caps, LLBCaps: caps, Workers: [WORKER] })
    }),
    '/moby.buildkit.v1.frontend.LLBBridge/Return': unary((request, call) => {
      const [ref] = call.metadata.get('buildkit-controlapi-buildid')
      const end = internal.get(String(ref))
      end?.()
      const { error } = RETURN_REQUEST.decode(request)
      if (end === undefined) asking.reject(new Error(`it gave up: ${error?.message}`))
      return Buffer.alloc(0)
    }),
    '/moby.buildkit.v1.frontend.LLBBridge/Solve': (call) => {
      hold(call)
      call.once('data', (message: Buffer) =>
        asking.resolve(GATEWAY_SOLVE_REQUEST.decode(message).FrontendOpt),
      )
    },
  })
  const address = `unix://${place.file('s')}`
  await new Promise<void>((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure()
    server.bindAsync(address, credentials, (error) => (error === null ? resolve() : reject(error)))
  })
  const [program, ...args] = await command(address)
  const child = spawn(program, args, { env: { ...process.env, ...env }, cwd: place.path })
  child.stdin.on('error', () => undefined).end(input)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`it ended: ${output}`)))
  try {
    const request = await Promise.race([solving.promise, ended])
    const session = await Promise.race([sessions.get(request.Session), ended])
    await Promise.race([work({ session, request, frontend: asking.promise }), ended])
  } finally {
    ended.catch(() => undefined)
    child.kill('SIGKILL')
    server.forceShutdown()
  }
}

/** The bytes that both sides send in messages. */
function bytesOf(call: PeerCall): Duplex {
  const bytes = new Duplex({
    read: () => void call.resume(),
    write: (data: Buffer, _, done) => void call.write(BYTES_MESSAGE.encode({ data }), done),
    final: (done) => {
      call.end()
      done()
    },
    destroy: (error, done) => {
      call.end()
      done(error)
    },
  })
  call.on('data', (message: Buffer) => {
    if (!bytes.push(BYTES_MESSAGE.decode(message).data)) call.pause()
  })
  call.on('end', () => bytes.push(null))
  call.on('error', () => bytes.destroy())
  call.on('cancelled', () => bytes.destroy())
  return bytes
}
