import type { CstChildrenDictionary, CstElement, CstNode, IToken } from 'chevrotain'

/** The children of a node of the concrete syntax tree, by the names that the grammar gives them. */
export type Children = CstChildrenDictionary

function isNode(element: CstElement): element is CstNode {
  return 'children' in element
}

function isToken(element: CstElement): element is IToken {
  return 'image' in element
}

/** The sub-trees under `name`, in order. */
export function nodesOf(children: Children, name: string): readonly CstNode[] {
  return (children[name] ?? []).filter(isNode)
}

/** The tokens under `name`, in order. */
export function tokensOf(children: Children, name: string): readonly IToken[] {
  return (children[name] ?? []).filter(isToken)
}

/** The one sub-tree under `name`, if there is one. */
export function nodeOf(children: Children, name: string): CstNode | undefined {
  const element = children[name]?.[0]
  return element !== undefined && isNode(element) ? element : undefined
}

/** The one token under `name`, if there is one. */
export function tokenOf(children: Children, name: string): IToken | undefined {
  const element = children[name]?.[0]
  return element !== undefined && isToken(element) ? element : undefined
}

/** The children of the one sub-tree under `name`; none when there is no such sub-tree. */
export function childrenOf(children: Children, name: string): Children {
  return nodeOf(children, name)?.children ?? {}
}
