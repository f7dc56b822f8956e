import type { Buffer } from 'node:buffer'
import type {
  Metadata,
  MethodDefinition,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { Draft, Message } from '#buildkit/messages'
import type { CallFailure } from './call-failure.ts'

/** A call of a client. */
export interface Call {
  /** What was sent with it, by name in lower case; the first of several. */
  readonly metadata: (name: string) => string | undefined
  readonly allMetadata: (name: string) => readonly string[]
  /** Aborted when the client does not wait any longer. */
  readonly signal: AbortSignal
}

/** A call in which both sides send messages. */
export interface DuplexCall<I, O> extends Call {
  readonly messages: AsyncIterable<I>
  /** @returns when the client is ready for more */
  readonly send: (message: Draft<O>) => Promise<void>
}

/** How one method is served. */
export interface Method {
  readonly isRequestStream: boolean
  readonly isResponseStream: boolean
  readonly decode: (bytes: Buffer) => unknown
  readonly encode: (value: never) => Buffer
  readonly serve: UntypedServiceImplementation[string]
}

/** Turns what was thrown into what the client gets. */
export type FailureOf = (cause: unknown) => CallFailure

/** A method with one request and one response. */
export function unary<I, O>(
  request: Message<I>,
  response: Message<O>,
  serve: (request: I, call: Call) => Promise<Draft<O>>,
): (failureOf: FailureOf) => Method {
  return (failureOf) => ({
    ...codec(request, response),
    ...{ isRequestStream: false, isResponseStream: false },
    serve: (call: ServerUnaryCall<I, Draft<O>>, done: sendUnaryData<Draft<O>>) => {
      serve(call.request, callOf(call)).then(
        (value) => done(null, value),
        (cause: unknown) => done(failureOf(cause)),
      )
    },
  })
}

/** A method with one request and any number of responses. */
export function responses<I, O>(
  request: Message<I>,
  response: Message<O>,
  serve: (request: I, call: Call) => AsyncIterable<Draft<O>>,
): (failureOf: FailureOf) => Method {
  return (failureOf) => ({
    ...codec(request, response),
    ...{ isRequestStream: false, isResponseStream: true },
    serve: (call: ServerWritableStream<I, Draft<O>>) => {
      const one = callOf(call)
      const send = async (): Promise<void> => {
        for await (const value of serve(call.request, one)) {
          if (one.signal.aborted) return
          await written(call, value)
        }
      }
      finish(call, send(), failureOf)
    },
  })
}

/** A method with any number of requests and responses. */
export function duplex<I, O>(
  request: Message<I>,
  response: Message<O>,
  serve: (call: DuplexCall<I, O>) => Promise<void>,
): (failureOf: FailureOf) => Method {
  return (failureOf) => ({
    ...codec(request, response),
    ...{ isRequestStream: true, isResponseStream: true },
    serve: (call: ServerDuplexStream<I, Draft<O>>) => {
      const send = (message: Draft<O>): Promise<void> => written(call, message)
      finish(call, serve({ ...callOf(call), messages: call, send }), failureOf)
    },
  })
}

function codec<I, O>(request: Message<I>, response: Message<O>): Pick<Method, 'decode' | 'encode'> {
  return { decode: request.decode, encode: response.encode as Method['encode'] }
}

type Streaming = ServerWritableStream<never, never> | ServerDuplexStream<never, never>

/** Ends the responses, in whichever way. */
function finish(call: unknown, served: Promise<void>, failureOf: FailureOf): void {
  const stream = call as Streaming
  // A client that is gone is seen by the signal.
  stream.on('error', () => undefined)
  served.then(
    () => stream.end(),
    (cause: unknown) => void stream.emit('error', failureOf(cause)),
  )
}

async function written(call: unknown, value: unknown): Promise<void> {
  const stream = call as Streaming
  if (stream.cancelled || stream.write(value as never)) return
  const { promise, resolve } = Promise.withResolvers<void>()
  stream.once('drain', resolve).once('cancelled', resolve).once('close', resolve)
  await promise
  stream.off('drain', resolve).off('cancelled', resolve).off('close', resolve)
}

/** What the library has of every call. */
interface AnyCall {
  readonly metadata: Metadata
  readonly cancelled: boolean
  on(event: 'cancelled', listener: () => void): unknown
}

function callOf(call: AnyCall): Call {
  const gone = new AbortController()
  call.on('cancelled', () => gone.abort())
  if (call.cancelled) gone.abort()
  const allMetadata = (name: string): readonly string[] => call.metadata.get(name).map(String)
  return { signal: gone.signal, allMetadata, metadata: (name) => allMetadata(name)[0] }
}

/** The definition of a method, as the library has it. */
export function definitionOf(path: string, method: Method): MethodDefinition<unknown, unknown> {
  const { isRequestStream, isResponseStream, decode, encode } = method
  const serialize = encode as (value: unknown) => Buffer
  return {
    ...{ path, requestStream: isRequestStream, responseStream: isResponseStream },
    ...{ requestSerialize: serialize, requestDeserialize: decode },
    ...{ responseSerialize: serialize, responseDeserialize: decode },
  }
}
