import type { SbomFormat } from '#attest/sbom'
import { TsbuildError } from '#core'

/** How much is said of how an image was built. */
export interface ProvenanceOptions {
  /**
   * `min`: what it was made of, when, and on which platform. `max`: also arguments, labels, the ids of
   * secrets, the Dockerfile, the steps and the layers that they made.
   */
  readonly mode: 'min' | 'max'
  /** Who built it, as a URI; default: empty. */
  readonly builderId?: string
  /** The user claims that another build gives the same bytes. Default: `reproducible` of the build. */
  readonly reproducible?: boolean
  /** In outputs of files; default: `provenance.json`. */
  readonly filename?: string
}

/** How the packages of an image are listed. */
export interface SbomOptions {
  /** Each is an attestation; at least one. */
  readonly formats: readonly SbomFormat[]
}

/** What is said of images beside them. */
export interface AttestationOptions {
  readonly provenance?: ProvenanceOptions
  readonly sbom?: SbomOptions
}

/** Whether anything is to be said. */
export function isAsked({ provenance, sbom }: AttestationOptions): boolean {
  return provenance !== undefined || sbom !== undefined
}

const MODES: readonly string[] = ['min', 'max']
const FORMATS: readonly string[] = ['spdx', 'cyclonedx']

/** Finds mistakes. @throws {TsbuildError} USAGE */
export function checkAttestations({ provenance, sbom }: AttestationOptions): void {
  if (provenance !== undefined && !MODES.includes(provenance.mode)) {
    throw new TsbuildError(`invalid mode ${JSON.stringify(provenance.mode)} of provenance`, {
      code: 'USAGE',
      hint: 'choose min or max',
    })
  }
  const { filename } = provenance ?? {}
  if (filename !== undefined && (/[/\0]/.test(filename) || /^\.{0,2}$/.test(filename))) {
    throw new TsbuildError(`invalid filename ${JSON.stringify(filename)} of provenance`, {
      code: 'USAGE',
      hint: 'it is the name of a file, without a folder',
    })
  }
  const wrong = sbom?.formats.find((format) => !FORMATS.includes(format))
  if (wrong === undefined && sbom?.formats.length !== 0) return
  throw new TsbuildError(`invalid format ${JSON.stringify(wrong ?? '')} of an SBOM`, {
    code: 'USAGE',
    hint: `choose ${FORMATS.join(' or ')}`,
  })
}
