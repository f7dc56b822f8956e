export { parseBoolean } from '#core'
export type {
  AddInstruction,
  ArgDeclaration,
  ArgInstruction,
  CmdInstruction,
  Command,
  Comment,
  CopyInstruction,
  Directive,
  Dockerfile,
  EntrypointInstruction,
  EnvInstruction,
  ExposeInstruction,
  FromInstruction,
  Healthcheck,
  HealthcheckInstruction,
  Heredoc,
  Instruction,
  InstructionBase,
  KeyValue,
  LabelInstruction,
  LineBreak,
  MaintainerInstruction,
  OnbuildInstruction,
  RunInstruction,
  RunMount,
  ShellInstruction,
  Stage,
  StageInstruction,
  StopsignalInstruction,
  UserInstruction,
  VolumeInstruction,
  Word,
  WorkdirInstruction,
} from './ast/ast.ts'
export {
  type DockerfileVisitor,
  type InstructionChange,
  type InstructionPosition,
  instructionsOf,
  mapInstructions,
  visitDockerfile,
} from './ast/visit.ts'
export {
  MAX_DOCKERFILE_BYTES,
  type ParseResult,
  parseDockerfile,
  parseTrigger,
  type TriggerResult,
} from './grammar/parse.ts'
export {
  type InstructionGraph,
  type LinkedStage,
  type LinkOptions,
  linkStages,
  stageLabel,
} from './graph/graph.ts'
export type { Replacement, SourceRef } from './graph/source-ref.ts'
export { type CacheSetting, cacheSettingAbove } from './lines/cache-comment.ts'
export type { ParseOptions } from './lines/directives.ts'
export { heredocBody, parseHeredocWord } from './lines/heredocs.ts'
export { isBuiltInFrontend } from './lines/syntax.ts'
export { type CheckOptions, type CheckResult, checkDockerfile } from './lint/check.ts'
export { type CheckedBase, type ChecksOptions, DockerfileChecks } from './lint/checks.ts'
export type { CheckWarning } from './lint/linter.ts'
export type { CheckRule } from './lint/rule/rule.ts'
export { RULES } from './lint/rules.ts'
export {
  type Outline,
  type OutlineArg,
  type OutlineOptions,
  outlineTarget,
} from './outline/outline.ts'
export type { OutlineMount, OutlineMounts } from './outline/outline-mounts.ts'
export { listTargets, type Target } from './outline/targets.ts'
export {
  type IgnoreRule,
  type IgnoreRules,
  ignoreRules,
  parseDockerignore,
} from './patterns/dockerignore.ts'
export { hasWildcards, matchPath, pathMatcher } from './patterns/path-pattern.ts'
export { formatDockerfile } from './print/format.ts'
export {
  type NormalError,
  type NormalForm,
  type NormalHeredoc,
  type NormalInstruction,
  type NormalStage,
  normalForm,
} from './print/normal-form.ts'
export { printDockerfile } from './print/print.ts'
export type { DeclaredArg } from './scope/declared-arg.ts'
export { type Expanded, expandTracked, type Variables } from './scope/expanded.ts'
export { evaluateGlobals, type GlobalScope } from './scope/global-scope.ts'
export {
  applyEnv,
  childScope,
  declareArg,
  parseEnv,
  type StageScope,
  stageScope,
} from './scope/stage-scope.ts'
export { trimSpace } from './text/characters.ts'
export {
  type Diagnostic,
  type DiagnosticCode,
  diagnosticsError,
  failureIn,
  SourceError,
  type SourceErrorOptions,
  type SourceFile,
} from './text/diagnostics.ts'
export { parseDuration } from './text/duration.ts'
export { excerpt, sourceLines } from './text/excerpt.ts'
export type { LineSpan, Position, SourceRange } from './text/source.ts'
export { expandWord, expandWords } from './words/expand.ts'
export type { ExpandOptions } from './words/expansion.ts'
