import { type ErrorCode, TsbuildError } from '#core'

/** What an engine answered in place of a result. */
export interface EngineFailure {
  /** Of HTTP. */
  readonly status: number
  /** The engine's own sentence. */
  readonly message: string
}

/** An error that an engine answered with. Its message is the engine's. */
export class EngineError extends TsbuildError {
  readonly status: number

  constructor({ status, message }: EngineFailure) {
    super(message, { code: CODES.get(status) ?? 'ENGINE_FAILED' })
    this.status = status
  }
}

const CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [304, 'NOT_MODIFIED'],
  [400, 'USAGE'],
  [401, 'PERMISSION_DENIED'],
  [403, 'PERMISSION_DENIED'],
  [404, 'NOT_FOUND'],
  [409, 'CONFLICT'],
  [501, 'UNSUPPORTED'],
])

/** An engine that cannot be asked. @param name as docker writes it: `unix:///run/docker.sock` */
export function unreachableError(name: string, cause: unknown): TsbuildError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new TsbuildError(`Cannot connect to the Docker daemon at ${name}: ${reason}`, {
    code: 'ENGINE_UNREACHABLE',
    cause,
    hint: 'see that the daemon is running, or name another one with -H or $DOCKER_HOST',
  })
}
