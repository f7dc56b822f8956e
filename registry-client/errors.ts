import { type FailureOptions, TsbuildError } from '#core'

export interface RegistryFailure extends FailureOptions {
  /** HTTP status of the answer, when there was one. */
  readonly status?: number | undefined
  /** Spec: distribution-spec v1.1 #error-codes, e.g. `MANIFEST_UNKNOWN`. */
  readonly registryCodes?: readonly string[] | undefined
}

/**
 * A registry refused, failed or could not be reached. Codes: REGISTRY_UNREACHABLE, REGISTRY_DENIED,
 * NOT_FOUND, REGISTRY_FAILED. No text of it holds a credential, a token or a query string.
 */
export class RegistryError extends TsbuildError {
  readonly status: number | undefined
  readonly registryCodes: readonly string[]

  constructor(message: string, options: RegistryFailure) {
    super(message, options)
    this.status = options.status
    this.registryCodes = options.registryCodes ?? []
  }
}
