import { EXECUTION, INPUT } from '../../arguments/build-flags.ts'
import {
  HELP,
  PROGRESS,
  REGISTRY_FLAGS,
  ROOT_FLAG,
  TEXT_FORMAT,
} from '../../arguments/common-flags.ts'
import { SIGNED_ANNOTATION } from '../../arguments/image-flags.ts'
import { STEP_FLAGS } from '../../arguments/step-flags.ts'
import type { Command } from '../command.ts'

const GROUP = 'With --rebuild, as they were given to the build'
const OF_BUILDS = [
  ...INPUT,
  ...EXECUTION.filter(({ name }) => ['network', 'secret', 'ssh'].includes(name)),
  ...STEP_FLAGS,
].map((flag) => ({ ...flag, group: GROUP }))

/** `tsbuild verify` */
export const VERIFY: Command = {
  name: 'verify',
  summary: 'Check the signature and the provenance of an image, or build it again',
  usage: 'tsbuild verify [flags] NAME[:TAG|@DIGEST]',
  flags: [
    {
      name: 'key',
      metavar: 'FILE',
      values: 'paths',
      help: 'A public key in PEM that must have signed it; env://NAME takes it of a variable',
      group: 'Signature',
    },
    { ...SIGNED_ANNOTATION, help: 'The signature must say so, too' },
    {
      name: 'rebuild',
      metavar: 'CONTEXT',
      values: 'paths',
      help: 'Build it again of CONTEXT, without this store, and compare bit for bit',
      group: 'Build',
    },
    ...OF_BUILDS,
    ...REGISTRY_FLAGS,
    TEXT_FORMAT,
    PROGRESS,
    ROOT_FLAG,
    HELP,
  ],
  examples: [
    ['tsbuild verify --key team.pub ghcr.io/me/app:1.2', 'is it signed by this key?'],
    ['tsbuild verify --rebuild . ghcr.io/me/app:1.2', 'is it what this folder gives?'],
  ],
  notes: [
    'Only images that were built with --reproducible come out again. The exit code is 1 when anything is wrong.',
  ],
  needsNamespace: (args) =>
    args.text('rebuild') !== undefined && args.text('isolation') !== 'in-place',
  run: async (args, shell) => {
    const { runVerify } = await import('../../transfer/run-verify.ts')
    return await runVerify(args, shell)
  },
}
