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
} from './ast.ts'
export { parseBoolean } from './boolean.ts'
export { trimSpace } from './characters.ts'
export {
  type Diagnostic,
  type DiagnosticCode,
  diagnosticsError,
  failureIn,
  SourceError,
  type SourceErrorOptions,
  type SourceFile,
} from './diagnostics.ts'
export type { ParseOptions } from './directives.ts'
export {
  type IgnoreRule,
  type IgnoreRules,
  ignoreRules,
  parseDockerignore,
} from './dockerignore.ts'
export { excerpt } from './excerpt.ts'
export { expandWord, expandWords } from './expand.ts'
export type { ExpandOptions } from './expansion.ts'
export { formatDockerfile } from './format.ts'
export {
  type InstructionGraph,
  type LinkedStage,
  type LinkOptions,
  linkStages,
  stageLabel,
} from './graph.ts'
export { type GraphFormat, renderGraph } from './graph-view/render.ts'
export { heredocBody, parseHeredocWord } from './heredocs.ts'
export { type CheckOptions, type CheckResult, checkDockerfile } from './lint/check.ts'
export { type CheckedBase, type ChecksOptions, DockerfileChecks } from './lint/checks.ts'
export type { CheckWarning } from './lint/linter.ts'
export { type CheckRule, kebabName, RULES, type RuleName } from './lint/rules.ts'
export {
  type NormalError,
  type NormalForm,
  type NormalHeredoc,
  type NormalInstruction,
  type NormalStage,
  normalForm,
} from './normal-form.ts'
export {
  type Outline,
  type OutlineArg,
  type OutlineOptions,
  outlineTarget,
} from './outline.ts'
export type { OutlineMount, OutlineMounts } from './outline-mounts.ts'
export {
  MAX_DOCKERFILE_BYTES,
  type ParseResult,
  parseDockerfile,
  parseTrigger,
  type TriggerResult,
} from './parse.ts'
export { hasWildcards, matchPath, pathMatcher } from './path-pattern.ts'
export { printDockerfile } from './print.ts'
export type { LineSpan, Position, SourceRange } from './source.ts'
export type { Replacement, SourceRef } from './source-ref.ts'
export { isBuiltInFrontend } from './syntax.ts'
export { listTargets, type Target } from './targets.ts'
export {
  type DockerfileVisitor,
  type InstructionChange,
  type InstructionPlace,
  instructionsOf,
  mapInstructions,
  visitDockerfile,
} from './visit.ts'
