// SPDX-License-Identifier: MIT
//
// How Mermaid draws for this book. Colours are roles: Mermaid is given one exact hex value a role, and after drawing each
// value is turned into a class (`dg-node`, `dg-line`…) that site/css/diagrams.css colours in light, dark and print.

/** Role → a colour that no other role is near. Nothing is ever shown in it. */
export const ROLES = {
  node: '#f0f000',
  border: '#00a0a0',
  text: '#000040',
  line: '#a000a0',
  group: '#00f0f0',
  accent: '#f05000',
  paper: '#f0f0f0',
} as const

export const mermaidConfig = {
  startOnLoad: false,
  securityLevel: 'strict',
  htmlLabels: false,
  deterministicIds: true,
  handDrawnSeed: 1,
  theme: 'base',
  // As wide as any sans-serif a reader may have, so that no label outgrows its box elsewhere.
  fontFamily: 'DejaVu Sans',
  fontSize: 14,
  flowchart: {
    htmlLabels: false,
    subGraphTitleMargin: { top: 8, bottom: 6 },
    wrappingWidth: 360,
    padding: 12,
    nodeSpacing: 36,
    rankSpacing: 44,
  },
  sequence: { useMaxWidth: true, mirrorActors: false, messageFontSize: 14, actorFontSize: 14 },
  themeVariables: {
    fontFamily: 'DejaVu Sans',
    fontSize: '14px',
    background: ROLES.paper,
    primaryColor: ROLES.node,
    primaryTextColor: ROLES.text,
    primaryBorderColor: ROLES.border,
    secondaryColor: ROLES.group,
    secondaryTextColor: ROLES.text,
    secondaryBorderColor: ROLES.border,
    tertiaryColor: ROLES.group,
    tertiaryTextColor: ROLES.text,
    tertiaryBorderColor: ROLES.border,
    mainBkg: ROLES.node,
    nodeBorder: ROLES.border,
    nodeTextColor: ROLES.text,
    clusterBkg: ROLES.group,
    clusterBorder: ROLES.border,
    titleColor: ROLES.text,
    textColor: ROLES.text,
    lineColor: ROLES.line,
    edgeLabelBackground: ROLES.paper,
    actorBkg: ROLES.node,
    actorBorder: ROLES.border,
    actorTextColor: ROLES.text,
    actorLineColor: ROLES.line,
    signalColor: ROLES.line,
    signalTextColor: ROLES.text,
    labelBoxBkgColor: ROLES.group,
    labelBoxBorderColor: ROLES.border,
    labelTextColor: ROLES.text,
    loopTextColor: ROLES.text,
    noteBkgColor: ROLES.group,
    noteBorderColor: ROLES.border,
    noteTextColor: ROLES.text,
    activationBkgColor: ROLES.accent,
    activationBorderColor: ROLES.border,
  },
} as const
