import type { SourceRange } from './source.ts'

/** A Dockerfile as written: nothing expanded, nothing linked. */
export interface Dockerfile {
  readonly directives: readonly Directive[]
  /** The character of `# escape=`; a backslash unless set. */
  readonly escape: '\\' | '`'
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[]
  readonly stages: readonly Stage[]
}

export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check'
  readonly value: string
  readonly range: SourceRange
}

export interface Stage {
  /** 0-based position in the file. */
  readonly index: number
  /** Lower-cased; `undefined` without AS. */
  readonly name: string | undefined
  readonly from: FromInstruction
  /** Everything after FROM, in file order. */
  readonly instructions: readonly StageInstruction[]
}

export type Instruction = FromInstruction | StageInstruction

export type StageInstruction =
  | AddInstruction
  | ArgInstruction
  | CmdInstruction
  | CopyInstruction
  | EntrypointInstruction
  | EnvInstruction
  | ExposeInstruction
  | HealthcheckInstruction
  | LabelInstruction
  | MaintainerInstruction
  | OnbuildInstruction
  | RunInstruction
  | ShellInstruction
  | StopsignalInstruction
  | UserInstruction
  | VolumeInstruction
  | WorkdirInstruction

interface Node {
  readonly range: SourceRange
  /** The instruction as written, continuations joined: for progress and ONBUILD. */
  readonly text: string
}

/** Text before expansion, quotes and escapes kept. */
export interface Word {
  readonly raw: string
  readonly range: SourceRange
}

/** Exec form is passed on as it is; shell form is run by SHELL. */
export type Command =
  | { readonly form: 'exec'; readonly args: readonly string[] }
  | { readonly form: 'shell'; readonly script: string }

export interface Heredoc {
  readonly name: string
  readonly content: string
  /** False when the name was quoted. */
  readonly expand: boolean
  /** `<<-`: leading tabs of every line are dropped. */
  readonly chomp: boolean
  /** The number before `<<`, or -1. */
  readonly fileDescriptor: number
}

export interface KeyValue {
  readonly key: Word
  readonly value: Word
}

export interface FromInstruction extends Node {
  readonly kind: 'from'
  readonly image: Word
  readonly platform: Word | undefined
  /** As written after AS. */
  readonly as: Word | undefined
}

export interface RunInstruction extends Node {
  readonly kind: 'run'
  readonly command: Command
  readonly heredocs: readonly Heredoc[]
  readonly mounts: readonly RunMount[]
  readonly network: 'default' | 'none' | 'host' | undefined
  readonly security: 'sandbox' | 'insecure' | undefined
}

/** One `--mount=`: its comma-separated keys and values, checked when it is planned. */
export interface RunMount {
  readonly raw: Word
  readonly fields: ReadonlyMap<string, string>
}

export interface CopyInstruction extends Node {
  readonly kind: 'copy'
  readonly sources: readonly Word[]
  readonly destination: Word
  readonly heredocs: readonly Heredoc[]
  readonly from: Word | undefined
  readonly chown: Word | undefined
  readonly chmod: Word | undefined
  readonly link: boolean
  readonly parents: boolean
  readonly exclude: readonly Word[]
}

export interface AddInstruction extends Node {
  readonly kind: 'add'
  readonly sources: readonly Word[]
  readonly destination: Word
  readonly heredocs: readonly Heredoc[]
  readonly chown: Word | undefined
  readonly chmod: Word | undefined
  readonly link: boolean
  readonly exclude: readonly Word[]
  readonly checksum: Word | undefined
  readonly keepGitDir: boolean | undefined
  readonly unpack: boolean | undefined
}

export interface EnvInstruction extends Node {
  readonly kind: 'env'
  readonly entries: readonly KeyValue[]
}

export interface LabelInstruction extends Node {
  readonly kind: 'label'
  readonly entries: readonly KeyValue[]
}

export interface ArgInstruction extends Node {
  readonly kind: 'arg'
  readonly args: readonly { readonly key: string; readonly value: Word | undefined }[]
}

export interface WorkdirInstruction extends Node {
  readonly kind: 'workdir'
  readonly path: Word
}

export interface UserInstruction extends Node {
  readonly kind: 'user'
  readonly user: Word
}

export interface CmdInstruction extends Node {
  readonly kind: 'cmd'
  readonly command: Command
}

export interface EntrypointInstruction extends Node {
  readonly kind: 'entrypoint'
  readonly command: Command
}

export interface ExposeInstruction extends Node {
  readonly kind: 'expose'
  readonly ports: readonly Word[]
}

export interface VolumeInstruction extends Node {
  readonly kind: 'volume'
  readonly paths: readonly Word[]
}

export interface ShellInstruction extends Node {
  readonly kind: 'shell'
  readonly shell: readonly string[]
}

export interface StopsignalInstruction extends Node {
  readonly kind: 'stopsignal'
  readonly signal: Word
}

export interface HealthcheckInstruction extends Node {
  readonly kind: 'healthcheck'
  /** `undefined` for `NONE`. Durations are nanoseconds; absent: the runtime's default. */
  readonly check: Healthcheck | undefined
}

export interface Healthcheck {
  readonly command: Command
  readonly interval: number | undefined
  readonly timeout: number | undefined
  readonly startPeriod: number | undefined
  readonly startInterval: number | undefined
  readonly retries: number | undefined
}

export interface OnbuildInstruction extends Node {
  readonly kind: 'onbuild'
  /** The trigger as it is stored in the image config: the line without ONBUILD. */
  readonly trigger: string
  /** The trigger, parsed. */
  readonly instruction: StageInstruction
}

export interface MaintainerInstruction extends Node {
  readonly kind: 'maintainer'
  readonly name: string
}
