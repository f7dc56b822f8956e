import assert from 'node:assert/strict'
import { parseAttestations } from '../../../cli/arguments/attestation-flags.ts'
import { parseFlags } from '../../../cli/arguments/flags.ts'
import { BUILD } from '../../../cli/commands/build/build.ts'

const parse = (argv: readonly string[]) => parseAttestations(parseFlags(argv, BUILD.flags))

const MAX = { mode: 'max' } as const
const SPDX = { formats: ['spdx'] } as const

describe('flags of attestations', () => {
  for (const [argv, expected] of [
    [[], undefined],
    [['--provenance=true'], { provenance: MAX }],
    [['--provenance', '1', '--sbom', 'true'], { provenance: MAX, sbom: SPDX }],
    [['--provenance=mode=min'], { provenance: { mode: 'min' } }],
    [['--provenance=false', '--sbom=0'], undefined],
    [['--provenance=true', '--provenance=mode=min'], { provenance: { mode: 'min' } }],
    [['--attest', 'type=provenance', '--provenance=false'], undefined],
    [['--attest', 'type=provenance,disabled=true'], undefined],
    [['--attest=type=sbom', '--attest=type=provenance,mode=max'], { provenance: MAX, sbom: SPDX }],
    [
      [
        '--attest=type=provenance,"builder-id=https://a/?b=c,d",reproducible=true,filename=p.json,version=v1',
      ],
      {
        provenance: {
          mode: 'max',
          builderId: 'https://a/?b=c,d',
          reproducible: true,
          filename: 'p.json',
        },
      },
    ],
    [['--sbom=format=cyclonedx'], { sbom: { formats: ['cyclonedx'] } }],
    [['--sbom=format=cyclonedx+spdx'], { sbom: { formats: ['spdx', 'cyclonedx'] } }],
  ] as const) {
    it(`are read: ${argv.join(' ')}`, () => {
      assert.deepEqual(parse(argv), expected === undefined ? {} : { attestations: expected })
    })
  }

  for (const [argv, code, message] of [
    [['--provenance', '.'], 'USAGE', /"\." is not key=value$/],
    [['--provenance=mode=most'], 'USAGE', /invalid mode "most"/],
    [['--provenance=colour=red'], 'USAGE', /unknown attestation option "colour"/],
    [['--provenance=reproducible=perhaps'], 'USAGE', /invalid value "perhaps"/],
    [['--provenance=version=v0.2'], 'UNSUPPORTED', /version "v0\.2" is not supported/],
    [['--attest', 'mode=min'], 'USAGE', /type not specified/],
    [['--attest', 'type=vex'], 'USAGE', /unknown attestation type "vex"/],
    [['--sbom=generator=docker/scout-sbom-indexer'], 'UNSUPPORTED', /no generator of SBOMs/],
    [['--sbom=format=text'], 'USAGE', /invalid format "text"/],
  ] as const) {
    it(`are refused: ${argv.join(' ')}`, () => {
      assert.throws(
        () => parse(argv),
        (error: Error & { code: string; hint: string }) => {
          assert.equal(error.code, code)
          assert.match(error.message, message)
          return error.hint.length > 0
        },
      )
    })
  }
})
