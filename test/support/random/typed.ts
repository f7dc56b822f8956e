import { type ErrorCode, TsbuildError } from '#core'

/** What `run` gives, or `undefined` when it fails as it may: with one of the codes. Anything else is a fault. */
export function orTyped<T>(codes: readonly ErrorCode[], run: () => T): T | undefined {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof TsbuildError && codes.includes(cause.code)) return undefined
    throw cause
  }
}

/** The same for what takes time. */
export async function orTypedLater<T>(
  codes: readonly ErrorCode[],
  run: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await run()
  } catch (cause) {
    return orTyped<T>(codes, () => {
      throw cause
    })
  }
}
