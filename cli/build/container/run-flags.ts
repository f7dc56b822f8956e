import { HELP, PROGRESS, QUIET, REGISTRY_FLAGS, ROOT_FLAG } from '../../arguments/common-flags.ts'
import type { Flag } from '../../arguments/flags.ts'
import { PLATFORM } from '../../arguments/image-flags.ts'
import { STEP_FLAGS } from '../../arguments/step-flags.ts'

const CONTAINER = 'Container'

const OWN: readonly Flag[] = [
  { name: 'interactive', short: 'i', help: 'Give it what comes on standard input' },
  { name: 'tty', short: 't', help: 'Give it a terminal' },
  { name: 'rm', help: 'Remove it when it has ended, which is always done' },
  {
    name: 'env',
    short: 'e',
    metavar: 'NAME[=VALUE]',
    repeat: true,
    help: 'Set a variable; without a value, to that of this environment',
  },
  {
    name: 'env-file',
    metavar: 'FILE',
    values: 'paths',
    repeat: true,
    help: 'Set the variables in a file, one a line',
  } as const,
  { name: 'entrypoint', metavar: 'PROGRAM', help: "Run this in place of the image's ENTRYPOINT" },
  { name: 'workdir', short: 'w', metavar: 'FOLDER', help: 'Start there' },
  { name: 'user', short: 'u', metavar: 'USER[:GROUP]', help: 'Run as this user' },
  { name: 'hostname', short: 'h', metavar: 'NAME', help: 'Its host name' },
  { name: 'init', help: 'Let a process that releases orphans be pid 1' },
  {
    name: 'volume',
    short: 'v',
    metavar: 'FOLDER:PATH[:ro]',
    repeat: true,
    help: 'Show it a folder or file of this machine',
  },
  { name: 'tmpfs', metavar: 'PATH[:size=SIZE]', repeat: true, help: 'Give it memory as a folder' },
  {
    name: 'network',
    metavar: 'NAME',
    help: 'Its network: bridge (its own, the default), none or host',
  },
  { name: 'privileged', help: 'Give it all rights that this process has' },
  { name: 'cpus', metavar: 'N', help: 'Processors that it may use: 1.5' },
].map((flag) => ({ ...flag, group: CONTAINER }))

const NOT_OF_CONTAINERS: ReadonlySet<string> = new Set(['allow', 'runtime'])

const LIMITS: readonly Flag[] = STEP_FLAGS.filter(({ name }) => !NOT_OF_CONTAINERS.has(name)).map(
  (flag) => ({ ...flag, group: 'Limits', help: flag.help.replace('a step', 'it') }),
)

/** Its short form is that of `--hostname`, as docker's. */
const LONG_HELP: Flag = { name: HELP.name, help: HELP.help, group: HELP.group }

/** Flags of `tsbuild run`: docker's, where docker has them. */
export const RUN_FLAGS: readonly Flag[] = [
  ...OWN,
  ...LIMITS,
  {
    name: 'pull',
    metavar: 'WHEN',
    values: ['always', 'missing', 'never'],
    help: 'When to ask the registry for the image: always, missing (the default) or never',
    group: 'Image',
  },
  PLATFORM,
  ...REGISTRY_FLAGS,
  PROGRESS,
  { ...QUIET, help: 'Do not show how the image is pulled' },
  ROOT_FLAG,
  LONG_HELP,
]
