import type { BuildOptions } from '#builder'
import {
  ATTESTATION_TYPES,
  attestationsOf,
  parseAttestation,
  parseTypedAttestation,
} from '#buildkit/values'
import type { Arguments } from './flags.ts'

/**
 * What `--attest`, `--provenance` and `--sbom` ask for; of each type what is given last, the short flags
 * after `--attest`, as docker has it.
 * @throws {TsbuildError} USAGE, UNSUPPORTED
 */
export function parseAttestations(args: Arguments): Pick<BuildOptions, 'attestations'> {
  return attestationsOf([
    ...args.list('attest').map(parseTypedAttestation),
    ...ATTESTATION_TYPES.flatMap((type) =>
      args.list(type).map((value) => parseAttestation(type, value)),
    ),
  ])
}
