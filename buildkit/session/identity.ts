import { TsbuildError } from '#core'

/** Who a session is of, and what can be asked of it. */
export interface SessionIdentity {
  readonly id: string
  /** For people; often empty. */
  readonly name: string
  /** What builds of the same folder have in common; often empty. */
  readonly sharedKey: string
  /** `/SERVICE/METHOD`, in lower case. */
  readonly methods: ReadonlySet<string>
}

/** Headers, or metadata of gRPC, with names in lower case; values that were repeated are a list, or one with commas. */
export type IdentityHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

const PREFIX = 'x-docker-expose-session-'
const MOST_METHODS = 256
const MOST_LENGTH = 256

/**
 * Reads how a client introduces its session. Spec: BuildKit, session/session.go
 * @throws {TsbuildError} USAGE
 */
export function sessionIdentity(headers: IdentityHeaders): SessionIdentity {
  const id = first(headers[`${PREFIX}uuid`])
  // What is before a colon is no part of an id where one is asked for.
  if (!/^[\x21-\x39\x3b-\x7e]{1,256}$/.test(id)) throw refusal('it has no id, or a malformed one')
  const methods = all(headers[`${PREFIX}grpc-method`])
  if (methods.length > MOST_METHODS) throw refusal(`it has more than ${MOST_METHODS} methods`)
  if (methods.some((method) => method.length > MOST_LENGTH || !/^\/[^/]+\/[^/]+$/.test(method))) {
    throw refusal('a method is not /SERVICE/METHOD')
  }
  return {
    id,
    name: first(headers[`${PREFIX}name`]).slice(0, MOST_LENGTH),
    sharedKey: first(headers[`${PREFIX}sharedkey`]).slice(0, MOST_LENGTH),
    methods: new Set(methods.map((method) => method.toLowerCase())),
  }
}

function first(value: string | readonly string[] | undefined): string {
  return (typeof value === 'string' ? value : value?.[0]) ?? ''
}

function all(value: string | readonly string[] | undefined): readonly string[] {
  const texts = typeof value === 'string' ? [value] : (value ?? [])
  const methods: string[] = []
  for (const text of texts) {
    // Splitting what is too much anyway would take its memory again.
    if (methods.length > MOST_METHODS) break
    methods.push(...text.split(',', MOST_METHODS + 1).map((method) => method.trim()))
  }
  return methods.filter((method) => method !== '')
}

function refusal(why: string): TsbuildError {
  return new TsbuildError(`a session is refused: ${why}`, { code: 'USAGE' })
}
