/** Name of a build check, as `# check=skip=` and reports spell it. */
export type RuleName =
  | 'StageNameCasing'
  | 'FromAsCasing'
  | 'NoEmptyContinuation'
  | 'ConsistentInstructionCasing'
  | 'DuplicateStageName'
  | 'ReservedStageName'
  | 'JSONArgsRecommended'
  | 'MaintainerDeprecated'
  | 'UndefinedArgInFrom'
  | 'WorkdirRelativePath'
  | 'UndefinedVar'
  | 'MultipleInstructionsDisallowed'
  | 'LegacyKeyValueFormat'
  | 'InvalidBaseImagePlatform'
  | 'RedundantTargetPlatform'
  | 'SecretsUsedInArgOrEnv'
  | 'InvalidDefaultArgInFrom'
  | 'FromPlatformFlagConstDisallowed'
  | 'CopyIgnoredFile'
  | 'InvalidDefinitionDescription'
  | 'ExposeProtoCasing'
  | 'ExposeInvalidFormat'
  | 'IgnoredFlag'
  | 'EmptyCommand'

/** What is known of a build check apart from where it fires. */
export interface CheckRule {
  readonly name: RuleName
  /** One sentence; `docs/lint` has a page on each. */
  readonly description: string
  /** Where BuildKit's users find more; `undefined` for a check that has no page there. */
  readonly url: string | undefined
  /** Off unless `experimental=` names it; `skip=` does not touch it. */
  readonly isExperimental: boolean
}

const DOCUMENTS = 'https://docs.docker.com/go/dockerfile/rule/'

const EXPERIMENTAL: ReadonlySet<RuleName> = new Set<RuleName>([
  'InvalidDefinitionDescription',
  'IgnoredFlag',
  'EmptyCommand',
])

const WITHOUT_URL: ReadonlySet<RuleName> = new Set<RuleName>([
  'InvalidBaseImagePlatform',
  'IgnoredFlag',
  'EmptyCommand',
])

/** All build checks. The last two are tsbuild's own, and therefore off unless asked for. */
export const RULES: ReadonlyMap<RuleName, CheckRule> = new Map(
  [
    rule('StageNameCasing', 'Names of stages are written in lower case'),
    rule('FromAsCasing', 'AS is written in the case of the FROM before it'),
    rule('NoEmptyContinuation', 'A blank line inside an instruction will be an error one day'),
    rule('ConsistentInstructionCasing', 'All keywords of a file are written in the same case'),
    rule('DuplicateStageName', 'Every stage has a name of its own'),
    rule('ReservedStageName', 'A stage has no name that already means something'),
    rule('JSONArgsRecommended', 'CMD and ENTRYPOINT as JSON arrays get signals themselves'),
    rule('MaintainerDeprecated', 'The author of an image is told by a label, not by MAINTAINER'),
    rule('UndefinedArgInFrom', 'FROM uses only arguments that are declared before the first FROM'),
    rule('WorkdirRelativePath', 'The first WORKDIR does not depend on that of the base image'),
    rule('UndefinedVar', 'Variables are defined before they are used'),
    rule('MultipleInstructionsDisallowed', 'What counts only once stands only once in a stage'),
    rule('LegacyKeyValueFormat', 'ENV and LABEL are written with an equals sign'),
    rule('InvalidBaseImagePlatform', 'The base image is for the platform that is built for'),
    rule('RedundantTargetPlatform', 'FROM does not ask for the platform that it gets anyway'),
    rule('SecretsUsedInArgOrEnv', 'Secrets are not given in ARG or ENV, which stay in the image'),
    rule('InvalidDefaultArgInFrom', 'FROM names an image even without build arguments'),
    rule('FromPlatformFlagConstDisallowed', 'FROM does not fix the platform of a stage'),
    rule('CopyIgnoredFile', 'COPY and ADD do not ask for what .dockerignore excludes'),
    rule('InvalidDefinitionDescription', 'A comment above ARG or a named FROM describes it'),
    rule('ExposeProtoCasing', 'Protocols of EXPOSE are written in lower case'),
    rule('ExposeInvalidFormat', 'EXPOSE names ports of the container, and nothing of the host'),
    rule('IgnoredFlag', 'There are no flags that do nothing'),
    rule('EmptyCommand', 'CMD, ENTRYPOINT and RUN have a command'),
  ].map((one) => [one.name, one]),
)

/** The name as pages and links spell it: `json-args-recommended`. */
export function kebabName(name: RuleName): string {
  return name
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
}

function rule(name: RuleName, description: string): CheckRule {
  const url = WITHOUT_URL.has(name) ? undefined : `${DOCUMENTS}${kebabName(name)}/`
  return { name, description, url, isExperimental: EXPERIMENTAL.has(name) }
}
