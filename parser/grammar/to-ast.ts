import type { CstNode, ICstVisitor } from 'chevrotain'
import type { Instruction, OnbuildInstruction } from '../ast/ast.ts'
import { toCommandInstruction, toHealthcheck } from './command-ast.ts'
import { type Children, childrenOf, nodeOf, tokenOf } from './cst.ts'
import { toFilesInstruction } from './files-ast.ts'
import { readFlags } from './flags.ts'
import type { DockerfileGrammar } from './grammar.ts'
import type { Site } from './site.ts'
import { toArg, toListInstruction, toPairsInstruction, toTextInstruction } from './word-ast.ts'

type Found = Instruction | undefined

/** Turns one `line` of the CST into its instruction; `undefined` when `site` has an error. */
export type LineVisitor = (line: CstNode, site: Site) => Found

/** A visitor for the trees of `grammar`; in tests, Chevrotain checks that it handles every rule. */
export function createLineVisitor(
  grammar: DockerfileGrammar,
  purpose: 'use' | 'test',
): LineVisitor {
  const Base: new () => ICstVisitor<Site, Found> = grammar.getBaseCstVisitorConstructor()
  class ToAst extends Base {
    constructor() {
      super()
      if (purpose === 'test') this.validateVisitor()
    }

    /** The visitor is given lines one by one, each with its own site. */
    dockerfile(): Found {
      return undefined
    }

    line(children: Children, site: Site): Found {
      const node = nodeOf(children, 'instruction') ?? nodeOf(children, 'onbuild')
      return node && this.visit(node, site)
    }

    instruction(children: Children, site: Site): Found {
      for (const form in children) {
        const node = nodeOf(children, form)
        if (node !== undefined) return this.visit(node, site)
      }
      return undefined
    }

    onbuild(children: Children, site: Site): Found {
      const node = nodeOf(children, 'instruction')
      if (!isTriggerAllowed(children, site) || node === undefined) return undefined
      const triggerSite = site.forTrigger()
      const trigger = this.visit(node, triggerSite)
      return toOnbuild(children, triggerSite.hasFailed ? undefined : trigger, site)
    }

    flags(): Found {
      return undefined
    }

    jsonOrText(): Found {
      return undefined
    }

    command = toCommandInstruction
    files = toFilesInstruction
    list = toListInstruction
    pairs = toPairsInstruction
    args = toArg
    text = toTextInstruction
    healthcheck = toHealthcheck
  }
  const visitor = new ToAst()
  return (line, site) => {
    const instruction = visitor.visit(line, site)
    return site.hasFailed ? undefined : instruction
  }
}

/** Reports what may not stand behind ONBUILD. */
function isTriggerAllowed(children: Children, site: Site): boolean {
  readFlags(childrenOf(children, 'flags'), 'onbuild', site)
  const nested = tokenOf(children, 'NestedOnbuild')
  if (nested !== undefined) {
    const range = site.range(nested)
    site.fail("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", { range })
    return false
  }
  const instruction = nodeOf(children, 'instruction')
  if (instruction === undefined) {
    site.fail('ONBUILD requires at least one argument', { hint: 'write ONBUILD INSTRUCTION …' })
    return false
  }
  const [form] = Object.keys(instruction.children)
  const keyword = tokenOf(childrenOf(instruction.children, form ?? ''), 'keyword')
  const name = keyword?.image.toUpperCase() ?? ''
  if (name !== 'FROM' && name !== 'MAINTAINER') return true
  site.fail(`${name} isn't allowed as an ONBUILD trigger`)
  return false
}

/**
 * The text of the trigger as the line has it, white space at the end included, and its heredocs, so
 * that it can be parsed again from the image config.
 */
function toOnbuild(
  children: Children,
  instruction: Found,
  site: Site,
): OnbuildInstruction | undefined {
  const keyword = tokenOf(children, 'Onbuild')
  if (keyword === undefined || instruction?.kind === 'from') return undefined
  const { heredocs } = site.line
  const bodies = heredocs.map(({ name, content }) => `\n${content}${name}`)
  const text = site.line.text.replace(/^\s*onbuild[\t\n\f\r ]*/i, '')
  const trigger = `${text}${bodies.join('')}`
  return { kind: 'onbuild', ...site.node(keyword, children), trigger, heredocs, instruction }
}
