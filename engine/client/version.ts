import { TsbuildError } from '#core'

/** The newest version of the interface that this client speaks. */
const NEWEST = '1.55'
/** What a daemon speaks that does not say. */
const OLDEST = '1.24'

/** @returns whether version `a` is before `b` */
export function isBefore(a: string, b: string): boolean {
  const [major = 0, minor = 0] = a.split('.').map(Number)
  const [otherMajor = 0, otherMinor = 0] = b.split('.').map(Number)
  return major < otherMajor || (major === otherMajor && minor < otherMinor)
}

/**
 * The version that both sides speak.
 * @param offered by the daemon, in its answer to `/_ping`
 * @throws {TsbuildError} UNSUPPORTED
 */
export function negotiate(offered: string | undefined): string {
  const version = offered === undefined || !/^\d+\.\d+$/.test(offered) ? OLDEST : offered
  if (isBefore(version, OLDEST)) {
    throw new TsbuildError(`the daemon speaks version ${version} of Docker's interface`, {
      code: 'UNSUPPORTED',
      hint: `it has to speak ${OLDEST} or a newer one`,
    })
  }
  return isBefore(NEWEST, version) ? NEWEST : version
}
