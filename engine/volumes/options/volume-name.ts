import { TsbuildError } from '#core'

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const LONGEST = 255

/** @throws {TsbuildError} USAGE in docker's words */
export function checkVolumeName(name: string): void {
  if (name.length === 1) {
    const rule = 'names should be at least two alphanumeric characters'
    throw nameError(name, `volume name is too short, ${rule}`)
  }
  if (!NAME.test(name)) {
    const rule = 'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed'
    const advice = 'If you intended to pass a host directory, use absolute path'
    const found = `"${name}" includes invalid characters for a local volume name`
    throw nameError(name, `${found}, ${rule}. ${advice}`)
  }
  if (name.length > LONGEST) throw nameError(name, 'volume name is too long')
}

function nameError(name: string, reason: string): TsbuildError {
  return new TsbuildError(`create ${name}: ${reason}`, { code: 'USAGE' })
}
