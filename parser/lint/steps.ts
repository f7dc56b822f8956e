import type { IgnoreRules } from '../patterns/dockerignore.ts'
import type { Step } from '../scope/walk.ts'
import { checkCopiedFiles } from './copy-ignored.ts'
import {
  checkEnvSecrets,
  checkExpose,
  checkLegacyFormat,
  checkRepetition,
  checkSecret,
  checkShellForm,
  checkWorkdir,
} from './image-settings.ts'
import type { Finding } from './linter.ts'
import { checkVariables, undefinedVariables } from './variables.ts'

/** All checks on an instruction that need to know what is defined where it stands. */
export function* checkStep(
  { instruction, scope }: Step,
  ignore: IgnoreRules | undefined,
): Generator<Finding> {
  if (instruction.kind === 'arg') {
    for (const { key, expanded } of scope.declare(instruction)) {
      yield* checkSecret(key, instruction)
      if (expanded !== undefined) yield* undefinedVariables(expanded, instruction, scope)
    }
    return
  }
  yield* checkVariables(instruction, scope)
  switch (instruction.kind) {
    case 'env':
      yield* checkLegacyFormat(instruction)
      yield* checkEnvSecrets(instruction, scope)
      break
    case 'label':
      yield* checkLegacyFormat(instruction)
      break
    case 'cmd':
    case 'entrypoint':
    case 'healthcheck':
      yield* checkRepetition(instruction, scope)
      yield* checkShellForm(instruction, scope)
      break
    case 'workdir':
      yield* checkWorkdir(instruction, scope)
      break
    case 'expose':
      yield* checkExpose(instruction, scope)
      break
    case 'copy':
    case 'add':
      if (ignore !== undefined) yield* checkCopiedFiles(instruction, scope, ignore)
      break
    default:
      break
  }
}
