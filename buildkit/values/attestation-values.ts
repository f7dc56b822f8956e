import type { BuildOptions } from '#builder/options'
import { parseBoolean, unsupportedError, usageError } from '#core'
import { splitCsv } from './split-csv.ts'

type Attestations = NonNullable<BuildOptions['attestations']>
type Fields = Map<string, string>

export const ATTESTATION_TYPES = ['provenance', 'sbom'] as const
export type AttestationType = (typeof ATTESTATION_TYPES)[number]

const FORMATS = ['spdx', 'cyclonedx'] as const

const HINTS: Readonly<Record<AttestationType, string>> = {
  provenance:
    'write --provenance=true, or mode=min|max[,builder-id=URI,reproducible=true,filename=NAME]',
  sbom: 'write --sbom=true, or format=spdx|cyclonedx',
}

/** What is said of images, as it was asked for. */
export interface AttestationRequest {
  readonly type: AttestationType
  readonly fields: ReadonlyMap<string, string>
}

/** What several requests ask for: of each type the last one counts. @throws {TsbuildError} USAGE, UNSUPPORTED */
export function attestationsOf(
  given: readonly AttestationRequest[],
): Pick<BuildOptions, 'attestations'> {
  const wanted = new Map<AttestationType, Fields>()
  for (const { type, fields: read } of given) {
    const fields = new Map(read)
    if (isDisabled(fields, type)) wanted.delete(type)
    else wanted.set(type, fields)
  }
  if (wanted.size === 0) return {}
  const [provenance, sbom] = [wanted.get('provenance'), wanted.get('sbom')]
  const attestations: Attestations = {
    ...(provenance && { provenance: provenanceOf(provenance) }),
    ...(sbom && { sbom: sbomOf(sbom) }),
  }
  return { attestations }
}

/** Reads `type=TYPE,key=value…`. @throws {TsbuildError} USAGE */
export function parseTypedAttestation(value: string): AttestationRequest {
  const fields = fieldsOf(value, `write --attest type=${ATTESTATION_TYPES.join('|')}[,KEY=VALUE…]`)
  const name = fields.get('type')
  fields.delete('type')
  const type = ATTESTATION_TYPES.find((one) => one === name)
  if (type !== undefined) return { type, fields }
  throw usageError(
    name === undefined ? 'attestation type not specified' : `unknown attestation type "${name}"`,
    `write --attest type=${ATTESTATION_TYPES.join(' or type=')}`,
  )
}

/** Reads a switch, or `key=value…`. @throws {TsbuildError} USAGE */
export function parseAttestation(type: AttestationType, value: string): AttestationRequest {
  const isOn = parseBoolean(value)
  if (isOn === undefined) return { type, fields: fieldsOf(value, HINTS[type]) }
  return { type, fields: new Map(isOn ? [] : [['disabled', 'true']]) }
}

function fieldsOf(value: string, hint: string): Fields {
  return new Map(
    splitCsv(value).map((field) => {
      const at = field.indexOf('=')
      if (at > 0) return [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1)] as const
      throw usageError(`invalid attestation "${value}": "${field}" is not key=value`, hint)
    }),
  )
}

function isDisabled(fields: Fields, type: AttestationType): boolean {
  const isOff = readSwitch(fields, 'disabled', type)
  fields.delete('disabled')
  return isOff ?? false
}

function provenanceOf(fields: Fields): NonNullable<Attestations['provenance']> {
  refuseOthers(fields, 'provenance', ['mode', 'builder-id', 'reproducible', 'filename', 'version'])
  const { mode = 'max', version = 'v1', ...named } = Object.fromEntries(fields)
  if (version !== 'v1') {
    throw unsupportedError(`provenance version "${version}" is not supported`, 'leave it out: v1')
  }
  if (mode !== 'min' && mode !== 'max') throw usageError(`invalid mode "${mode}"`, HINTS.provenance)
  const reproducible = readSwitch(fields, 'reproducible', 'provenance')
  return {
    mode,
    ...(named['builder-id'] === undefined ? {} : { builderId: named['builder-id'] }),
    ...(named.filename === undefined ? {} : { filename: named.filename }),
    ...(reproducible === undefined ? {} : { reproducible }),
  }
}

function sbomOf(fields: Fields): NonNullable<Attestations['sbom']> {
  const generator = fields.get('generator')
  if (generator !== undefined) {
    throw unsupportedError(
      `no generator of SBOMs is run, so not ${JSON.stringify(generator)}`,
      'leave it out: packages are listed without a container',
    )
  }
  refuseOthers(fields, 'sbom', ['format'])
  const formats = (fields.get('format') ?? 'spdx').split('+')
  const known = FORMATS.filter((format) => formats.includes(format))
  if (formats.every((format) => FORMATS.some((one) => one === format))) return { formats: known }
  throw usageError(`invalid format "${fields.get('format')}" of an SBOM`, HINTS.sbom)
}

function refuseOthers(fields: Fields, type: AttestationType, known: readonly string[]): void {
  const other = [...fields.keys()].find((key) => !known.includes(key))
  if (other === undefined) return
  throw usageError(`unknown attestation option "${other}"`, HINTS[type])
}

function readSwitch(fields: Fields, key: string, type: AttestationType): boolean | undefined {
  const text = fields.get(key)
  if (text === undefined) return undefined
  const value = parseBoolean(text)
  if (value !== undefined) return value
  throw usageError(`invalid value "${text}" for the attestation option ${key}`, HINTS[type])
}
