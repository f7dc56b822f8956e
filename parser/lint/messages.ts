/** What the build checks say, word for word as BuildKit says it: tools look for these texts. */

export function stageNameCasing(name: string): string {
  return `Stage name '${name}' should be lowercase`
}

export function fromAsCasing(from: string, as: string): string {
  return `'${as}' and '${from}' keywords' casing do not match`
}

export function instructionCasing(keyword: string, wanted: 'lowercase' | 'uppercase'): string {
  return `Command '${keyword}' should match the case of the command majority (${wanted})`
}

export function duplicateStageName(name: string): string {
  return `Duplicate stage name ${quote(name)}, stage names should be unique`
}

export function reservedStageName(name: string): string {
  return `Stage name should not use the same name as reserved stage ${quote(name)}`
}

export function jsonArgsRecommended(keyword: string): string {
  return `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`
}

export const maintainerDeprecated = 'Maintainer instruction is deprecated in favor of using label'

export function undefinedArgInFrom(name: string, meant: string | undefined): string {
  const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
  return `FROM argument '${name}' is not declared${hint}`
}

export function workdirRelativePath(path: string): string {
  return `Relative workdir ${quote(path)} can have unexpected results if the base image changes`
}

export function undefinedVar(name: string, meant: string | undefined): string {
  const hint = meant === undefined ? '' : ` (did you mean $${meant}?)`
  return `Usage of undefined variable '$${name}'${hint}`
}

export function multipleInstructions(keyword: string): string {
  return `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`
}

export function legacyKeyValue(keyword: string): string {
  return `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`
}

export function baseImagePlatform(image: string, actual: string, expected: string): string {
  return `Base image ${image} was pulled with platform ${quote(actual)}, expected ${quote(expected)} for current build`
}

export function redundantTargetPlatform(written: string): string {
  return `Setting platform to predefined ${written} in FROM is redundant as this is the default behavior`
}

export function secretInArgOrEnv(instruction: 'ARG' | 'ENV', key: string): string {
  return `Do not use ARG or ENV instructions for sensitive data (${instruction} ${quote(key)})`
}

export function invalidDefaultArg(image: string): string {
  return `Default value for ARG ${image} results in empty or invalid base image name`
}

export function constantPlatform(platform: string): string {
  return `FROM --platform flag should not use constant value ${quote(platform)}`
}

export function copyIgnoredFile(instruction: 'Copy' | 'Add', path: string): string {
  return `Attempting to ${instruction} file ${quote(path)} that is excluded by .dockerignore`
}

export function definitionDescription(instruction: 'ARG' | 'FROM', name: string): string {
  return `Comment for ${instruction} should follow the format: \`# ${name} <description>\``
}

export function exposeProtoCasing(port: string): string {
  return `Defined protocol '${port}' in EXPOSE instruction should be lowercase`
}

export function exposeInvalidFormat(port: string): string {
  return `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
