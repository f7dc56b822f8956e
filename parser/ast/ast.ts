import type { LineSpan, SourceRange } from '../text/source.ts'

/** A Dockerfile as written: nothing expanded, nothing linked. */
export interface Dockerfile {
  readonly directives: readonly Directive[]
  /** The character of `# escape=`; a backslash unless set. */
  readonly escape: '\\' | '`'
  /** ARGs before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[]
  readonly stages: readonly Stage[]
  /** The comments behind the last instruction; all others are with the instruction that follows. */
  readonly comments: readonly Comment[]
}

/** A line that begins with `#` and is not a directive. */
export interface Comment {
  /** What follows the `#`, without white space at its end. */
  readonly text: string
  readonly range: SourceRange
}

/** A parser directive at the top of the file: `# name=value`. */
export interface Directive {
  readonly name: 'syntax' | 'escape' | 'check'
  readonly value: string
  readonly range: SourceRange
}

/** A FROM and the instructions up to the next one. */
export interface Stage {
  /** 0-based position in the file. */
  readonly index: number
  /** Lower-cased; `undefined` without AS. */
  readonly name: string | undefined
  readonly from: FromInstruction
  /** Everything after FROM, in file order. */
  readonly instructions: readonly StageInstruction[]
}

/** Any instruction of a Dockerfile. */
export type Instruction = FromInstruction | StageInstruction

/** An instruction that can follow a FROM. */
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

/** What all instructions have. */
export interface InstructionBase {
  readonly range: SourceRange
  /** All lines of the instruction, including continuation lines with only blanks or comments. */
  readonly lines: LineSpan
  /** The instruction as written, continuations joined: for progress and ONBUILD. */
  readonly text: string
  /** As written: `RUN`, `run`. */
  readonly keyword: Word
  /** All flags as written, in order, quotes and escapes kept; without the `--` that ends them. */
  readonly flags: readonly Word[]
  /** All comments since the previous instruction; empty for an ONBUILD trigger. */
  readonly comments: readonly Comment[]
  /** Where lines were joined, in order; empty for an ONBUILD trigger. */
  readonly breaks: readonly LineBreak[]
}

/** A place where a line of the file ends, behind the keyword, and the instruction goes on. */
export interface LineBreak {
  /** The next line begins here in `text`. */
  readonly offset: number
  /** Comments between the two lines. */
  readonly comments: readonly Comment[]
  /** True when blank lines stand between the two. */
  readonly hasBlankLine: boolean
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

/** A here-document: `<<name`, and the lines up to `name`. */
export interface Heredoc {
  readonly name: string
  readonly content: string
  /** False when the name was quoted. */
  readonly expand: boolean
  /** `<<-`: leading tabs of every line are dropped. */
  readonly chomp: boolean
  /** The number before `<<`, or -1. */
  readonly fileDescriptor: number
  /** The content and the line that ends it; the word itself where it has neither. */
  readonly range: SourceRange
}

/** `key=value` of ENV or LABEL. */
export interface KeyValue {
  readonly key: Word
  readonly value: Word
}

/** `FROM [--platform=platform] image [AS name]`. */
export interface FromInstruction extends InstructionBase {
  readonly kind: 'from'
  readonly image: Word
  readonly platform: Word | undefined
  /** The word AS as written. */
  readonly asKeyword: Word | undefined
  /** As written after AS. */
  readonly as: Word | undefined
}

/** `RUN [flags] command`. */
export interface RunInstruction extends InstructionBase {
  readonly kind: 'run'
  readonly command: Command
  readonly heredocs: readonly Heredoc[]
  readonly mounts: readonly RunMount[]
  readonly network: 'default' | 'none' | 'host' | undefined
  readonly security: 'sandbox' | 'insecure' | undefined
}

/**
 * One `--mount=`: its comma-separated keys and values, checked by the planner. A field without the
 * value that it needs is kept as written.
 */
export interface RunMount {
  readonly raw: Word
  readonly fields: ReadonlyMap<string, string | undefined>
}

/** The arguments of COPY and ADD. */
interface FileWords {
  /** All of them as written: sources and heredocs (`<<EOF`), the destination last. */
  readonly args: readonly Word[]
  /** True for a JSON array, the strings of which `args` are. */
  readonly json: boolean
  /** Those of `args` that name files. */
  readonly sources: readonly Word[]
  /** Those of `args` that stand for a file of their own (`<<EOF`), with what it holds. */
  readonly inline: readonly Heredoc[]
  readonly destination: Word
  /**
   * The bodies below the instruction. A shell's rules find them, but words are split without regard
   * to quotes: `inline` can have fewer or more.
   */
  readonly heredocs: readonly Heredoc[]
}

/** `COPY [flags] source… destination`. */
export interface CopyInstruction extends InstructionBase, FileWords {
  readonly kind: 'copy'
  readonly from: Word | undefined
  readonly chown: Word | undefined
  readonly chmod: Word | undefined
  readonly link: boolean
  readonly parents: boolean
  readonly exclude: readonly Word[]
}

/** `ADD [flags] source… destination`. */
export interface AddInstruction extends InstructionBase, FileWords {
  readonly kind: 'add'
  readonly chown: Word | undefined
  readonly chmod: Word | undefined
  readonly link: boolean
  readonly exclude: readonly Word[]
  readonly checksum: Word | undefined
  readonly keepGitDir: boolean | undefined
  readonly unpack: boolean | undefined
}

/** `ENV key=value…`. */
export interface EnvInstruction extends InstructionBase {
  readonly kind: 'env'
  /** True for `ENV key value`. */
  readonly legacy: boolean
  readonly entries: readonly KeyValue[]
}

/** `LABEL key=value…`. */
export interface LabelInstruction extends InstructionBase {
  readonly kind: 'label'
  /** True for `LABEL key value`. */
  readonly legacy: boolean
  readonly entries: readonly KeyValue[]
}

/** `ARG key[=default]…`. */
export interface ArgInstruction extends InstructionBase {
  readonly kind: 'arg'
  readonly args: readonly ArgDeclaration[]
}

/** `key` or `key=value`. */
export interface ArgDeclaration {
  readonly key: string
  readonly value: Word | undefined
  readonly range: SourceRange
}

/** `WORKDIR path`. */
export interface WorkdirInstruction extends InstructionBase {
  readonly kind: 'workdir'
  readonly path: Word
}

/** `USER user[:group]`. */
export interface UserInstruction extends InstructionBase {
  readonly kind: 'user'
  readonly user: Word
}

/** `CMD command`. */
export interface CmdInstruction extends InstructionBase {
  readonly kind: 'cmd'
  readonly command: Command
}

/** `ENTRYPOINT command`. */
export interface EntrypointInstruction extends InstructionBase {
  readonly kind: 'entrypoint'
  readonly command: Command
}

/** `EXPOSE port…`. */
export interface ExposeInstruction extends InstructionBase {
  readonly kind: 'expose'
  readonly ports: readonly Word[]
}

/** `VOLUME path…`. */
export interface VolumeInstruction extends InstructionBase {
  readonly kind: 'volume'
  /** True for a JSON array, the strings of which `paths` are. */
  readonly json: boolean
  /** White space around a path is not part of it. */
  readonly paths: readonly Word[]
}

/** `SHELL ["program", "argument"…]`. */
export interface ShellInstruction extends InstructionBase {
  readonly kind: 'shell'
  readonly shell: readonly string[]
}

/** `STOPSIGNAL signal`. */
export interface StopsignalInstruction extends InstructionBase {
  readonly kind: 'stopsignal'
  readonly signal: Word
}

/** `HEALTHCHECK [flags] CMD command`, or `HEALTHCHECK NONE`. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'healthcheck'
  /** True for a JSON array: the command, or an empty one behind `NONE`. */
  readonly json: boolean
  /** `undefined` for `NONE`. Durations are nanoseconds; absent: the runtime's default. */
  readonly check: Healthcheck | undefined
}

/** The command of a HEALTHCHECK and its settings; durations in nanoseconds. */
export interface Healthcheck {
  readonly command: Command
  readonly interval: number | undefined
  readonly timeout: number | undefined
  readonly startPeriod: number | undefined
  readonly startInterval: number | undefined
  readonly retries: number | undefined
}

/** `ONBUILD instruction`. */
export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'onbuild'
  /** The trigger as it is stored in the image config: the line without ONBUILD. */
  readonly trigger: string
  /** The heredocs of the trigger. */
  readonly heredocs: readonly Heredoc[]
  /** The trigger, parsed; `undefined` when it has mistakes, which count only where it runs. */
  readonly instruction: StageInstruction | undefined
}

/** `MAINTAINER name`. */
export interface MaintainerInstruction extends InstructionBase {
  readonly kind: 'maintainer'
  readonly name: string
}
