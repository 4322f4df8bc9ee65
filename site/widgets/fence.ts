// SPDX-License-Identifier: MIT
//
// The `widget` fence: YAML → the first frame of a film, in a figure that the page brings to life.
//
//     ```widget kind=buddy-lists id=split-and-merge
//     title: Four requests
//     description: A sentence or two below the picture.
//     memory: M ########........         and whatever else the kind's scenario has (kinds_scenario.ts)
//     ```
import { parse } from 'yaml'
import { z } from 'zod'
import { escapeHtml } from '../html.ts'
import { failAt, type FenceWords, type Where } from '../markdown/fence_info.ts'
import { sentenceHtml } from '../markdown/sentence.ts'
import { enWidgets } from '../text/en_widgets.ts'
import { type Frame, sentenceOf } from './frame.ts'
import { drawingOf } from './kinds_draw.ts'
import { type FilmKind, framesOf } from './kinds_frames.ts'
import { SCENARIOS } from './kinds_scenario.ts'
import { mapHtml } from './map_fence.ts'
import { MapScenario } from './map_scenario.ts'
import { isTraced } from './traced_kinds.ts'
import type { MapScenario as MapInput } from './map_states.ts'

/** The films, and the map, which is none. */
const KINDS = { ...SCENARIOS, 'page-map': MapScenario }
type Kind = keyof typeof KINDS

/** A fence that has been read: what number.ts and the figure need of it. */
export interface ReadWidget {
  readonly kind: Kind
  readonly id: string
  readonly title: string
  readonly description: string | null
  readonly scenario: Readonly<Record<string, unknown>>
}

const ID = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
const Head = z.looseObject({ title: z.string(), description: z.string().optional() })

/** Reads a fence; stops the build at whatever does not fit. */
export function readWidget(info: FenceWords, content: string, where: Where): ReadWidget {
  const fail = (text: string): never => failAt(where, 'widget', text)
  const kind = info.words.get('kind') ?? ''
  const id = info.words.get('id') ?? ''
  if (!Object.hasOwn(KINDS, kind))
    fail(`no widget of kind '${kind}', expected one of ${Object.keys(KINDS).join(', ')}`)
  if (!ID.test(id)) fail(`widget id '${id}' is not kebab-case; write id=name`)
  let given: unknown
  try {
    given = parse(content)
  } catch (error) {
    fail(`no YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
  const head = Head.safeParse(given)
  if (!head.success) return fail(z.prettifyError(head.error).replaceAll('\n', ' '))
  const { title, description = null, ...rest } = head.data
  const scenario = KINDS[kind as Kind].safeParse(rest)
  if (!scenario.success) return fail(z.prettifyError(scenario.error).replaceAll('\n', ' '))
  return { kind: kind as Kind, id, title, description, scenario: scenario.data }
}

/** Where the buttons for traces come. */
const TRACE_ROW = '<div class="widget-trace"></div>'

const attributesOf = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` data-${name}="${escapeHtml(String(value))}"`)
    .join('')

function filmHtml(kind: FilmKind, { id, title, scenario }: ReadWidget): string {
  const words = enWidgets.kinds[kind]
  const frames = framesOf(kind, scenario)
  const first: Frame = frames[0]!
  const data = { kind, title, frames: frames.length, scenario: JSON.stringify(scenario) }
  return (
    `<contig-widget id="${id}"${attributesOf(data)}>` +
    `<div class="widget-stage">${drawingOf(kind, first, words)}</div>` +
    `<p class="widget-said">${escapeHtml(sentenceOf(first.said, words))}</p>` +
    `${isTraced(kind) ? TRACE_ROW : ''}</contig-widget>`
  )
}

/** The figure. Below the stage a row stays free for the controls, so that nothing moves when they come. */
export function widgetHtml(widget: ReadWidget, where: Where): string {
  const { kind, id, title, description, scenario } = widget
  const mapData = { title, scenario: JSON.stringify(scenario) }
  let inside: string
  try {
    inside =
      kind === 'page-map'
        ? `<contig-map id="${id}"${attributesOf(mapData)}>${mapHtml(scenario as unknown as MapInput)}${TRACE_ROW}</contig-map>`
        : filmHtml(kind, widget)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    failAt(where, 'widget', `the models refuse the scenario: ${why}`)
  }
  const more = description === null ? '' : ` ${sentenceHtml(description)}`
  return `<figure class="widget">${inside}<figcaption><strong>${escapeHtml(title)}</strong>${more}</figcaption></figure>\n`
}
