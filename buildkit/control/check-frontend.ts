import type { GatewaySolveRequest, SolveRequest, SourcePolicy } from '#buildkit/messages'
import { type TsbuildError, unsupportedError } from '#core'

const DOCKERFILES =
  /^(?:docker\.io\/)?(?:docker\/dockerfile|docker\/dockerfile-upstream)(?:[:@].*)?$/

/** A frontend is a program; that of Dockerfiles is our own. @throws {TsbuildError} UNSUPPORTED for others */
export function checkFrontend(name: string, options: GatewaySolveRequest['FrontendOpt']): void {
  if (name === 'dockerfile.v0') return
  const source = options.get('source') ?? ''
  if (name === 'gateway.v0' && DOCKERFILES.test(source)) return
  throw unsupportedError(
    `the frontend ${name === 'gateway.v0' ? source : name} cannot be run`,
    'only Dockerfiles are built, by a frontend that is built in',
  )
}

/** What is said of definitions that are to be solved. */
export function definitionError(): TsbuildError {
  return unsupportedError(
    'a definition of operations (LLB) is solved only as far as clients need it for Dockerfiles',
    'build a Dockerfile',
  )
}

/** A policy that had no effect would let pass what it is there to keep out. @throws {TsbuildError} UNSUPPORTED */
export function refusePolicies(
  { SourcePolicy: policy, SourcePolicySession }: SolveRequest,
  policies: readonly SourcePolicy[] = [],
): void {
  const rules = [...policies, ...(policy === undefined ? [] : [policy])].flatMap((one) => one.rules)
  if (rules.length === 0 && SourcePolicySession === '') return
  throw unsupportedError(
    'policies of sources are not applied here, so a build with one is not done',
    'leave it out where its sources are trusted',
  )
}
