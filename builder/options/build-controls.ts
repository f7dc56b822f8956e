import { parseBoolean, TsbuildError } from '#core'

type BuildArgs = Readonly<Record<string, string>>

const ATTESTATION = 'BUILDKIT_ATTEST_'

/**
 * Whether the result is an index also where it has one image only: BUILDKIT_MULTI_PLATFORM says so, or
 * there are several platforms.
 * @throws {TsbuildError} USAGE
 */
export function givesIndex(buildArgs: BuildArgs, platforms: number): boolean {
  const text = buildArgs.BUILDKIT_MULTI_PLATFORM ?? ''
  if (text === '') return platforms > 1
  const isWanted = parseBoolean(text)
  if (isWanted === undefined) {
    throw new TsbuildError(`invalid boolean value for multi-platform: ${text}`, {
      code: 'USAGE',
      hint: 'give BUILDKIT_MULTI_PLATFORM the value 1 or 0',
    })
  }
  if (isWanted || platforms === 1) return isWanted
  const message = 'conflicting config: returning multiple target platforms is not allowed'
  throw new TsbuildError(message, {
    code: 'USAGE',
    hint: 'build one platform at a time, or leave out BUILDKIT_MULTI_PLATFORM=0',
  })
}

/** @throws {TsbuildError} UNSUPPORTED for build arguments that ask for attestations, USAGE for others */
export function refuseAttestations(buildArgs: BuildArgs): void {
  for (const name of Object.keys(buildArgs)) {
    if (!name.startsWith(ATTESTATION)) continue
    const type = name.slice(ATTESTATION.length).toLowerCase()
    if (type !== 'sbom' && type !== 'provenance') {
      throw new TsbuildError(`unknown attestation type ${JSON.stringify(type)}`, {
        code: 'USAGE',
        hint: `leave out --build-arg ${name}`,
      })
    }
    throw new TsbuildError(`${name}: attestations are no matter of build arguments`, {
      code: 'UNSUPPORTED',
      hint: `write --${type}=true in the place of the build argument`,
    })
  }
}
