// SPDX-License-Identifier: MIT
//
// <contig-map>: a picture of the whole memory stands in it as HTML (map_fence.ts writes it). When it wakes, a worker boots
// the machine, and a canvas takes the picture's place, to go from all page frames to a single one.
//
// A trace of a board that is dropped on it, pasted or opened is played over the map (map_trace.ts): it goes to the page
// frames that the trace names.
import { fill } from '../client/words.ts'
import type { WidgetText } from '../text/en_widgets.ts'
import { type Colours, coloursOf, MapCanvas, type MapMarks, pfnAt } from './map_canvas.ts'
import { useGestures } from './map_gestures.ts'
import { boxesOf, type PageMap, placeOf } from './map_layout.ts'
import type { MapStep, MapTrace, ReadMapTrace } from './map_trace.ts'
import { bounded, perRowOf, type View, viewOf, wholeMap, zoomed } from './map_view.ts'
import { factsOf, sayFacts } from './map_where.ts'
import type { MapAnswer } from './map_worker.ts'
import { listenForFiles } from './movie/incoming.ts'
import { hexPfn } from './movie/sentence.ts'
import { textButton } from './movie/tools.ts'
import { widgetText } from './text.ts'
import { createTraceDesk, type TraceDesk } from './trace_desk.ts'
import { fillTraceRow, noteLine, type TraceRow } from './trace_row.ts'

/** Put in by site/assets.ts: the worker's file, relative to this one. */
declare const MAP_WORKER: string

/** How much nearer a button, or a plus, brings the map. */
const STEP = 2

export class ContigMap extends HTMLElement {
  static readonly observedAttributes = ['data-scenario']

  private readonly canvas = new MapCanvas()
  private readonly controls = document.createElement('div')
  private worker: Worker | null = null
  private text: WidgetText | null = null
  private map: PageMap | null = null
  private colours: Colours | null = null
  private view: View = { x: 0, y: 0, scale: 1 }
  private cursor = 0
  private frame = 0
  private desk: TraceDesk<ReadMapTrace> | null = null
  private traceRow: TraceRow | null = null
  private trace: MapTrace | null = null
  /** Read before there was a map. */
  private waiting: ReadMapTrace | null = null
  private marks: MapMarks | null = null
  private sayOfTrace: (text: string) => void = () => undefined
  private forget = (): void => undefined
  private themes = new MutationObserver(() => undefined)
  private readonly ended = new AbortController()

  private piece(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`.widget-${name}`)
    if (!found) throw new Error(`contig-map ${this.id}: no element of class widget-${name} inside`)
    return found
  }

  connectedCallback(): void {
    if (this.text) return
    void widgetText().then((text) => {
      this.text = text
      this.addTraces()
      this.boot()
    })
  }

  disconnectedCallback(): void {
    this.worker?.terminate()
    this.desk?.stop()
    this.trace?.player.stop()
    this.themes.disconnect()
    this.ended.abort()
    this.forget()
  }

  attributeChangedCallback(_name: string, before: string | null): void {
    if (before !== null && this.text) this.boot()
  }

  // A machine that is still booting when the next is wanted is of no use any more.
  private boot(): void {
    this.worker?.terminate()
    this.desk?.stop()
    this.closeTrace()
    const worker = new Worker(new URL(MAP_WORKER, import.meta.url), { type: 'module' })
    this.worker = worker
    this.setAttribute('aria-busy', 'true')
    const finish = (answer: MapAnswer): void => {
      worker.terminate()
      if (this.worker !== worker) return
      this.worker = null
      this.removeAttribute('aria-busy')
      const { failed, unreachable } = this.text!.controls
      if (answer.failure === null) this.takeMap(answer.map)
      else this.piece('said').textContent = fill(failed, { why: answer.failure || unreachable })
      const { waiting } = this
      this.waiting = null
      if (waiting) this.take(waiting)
    }
    worker.addEventListener('message', ({ data }: MessageEvent<MapAnswer>) => finish(data))
    worker.addEventListener('error', (event) => {
      event.preventDefault()
      finish({ map: null, failure: event.message })
    })
    worker.postMessage(JSON.parse(this.dataset['scenario'] ?? '{}'))
  }

  private takeMap(map: PageMap): void {
    const first = this.map === null
    this.map = map
    this.cursor = map.startPfn
    if (first) this.begin()
    this.view = wholeMap(map, this.canvas.size)
    this.paint()
    if (!first) this.say()
  }

  private begin(): void {
    const words = this.text!.map
    const { element } = this.canvas
    const stage = this.piece('stage')
    element.tabIndex = 0
    // The arrow keys are the map's own, which a reader of screens has to know.
    element.setAttribute('role', 'application')
    element.setAttribute('aria-label', words.keys)
    stage.append(element)
    const fit = (): void => {
      this.canvas.resize(element.clientWidth, element.clientHeight)
      this.move(this.view)
    }
    fit()
    new ResizeObserver(fit).observe(element)
    useGestures(element, {
      pan: (dx, dy) => this.move(this.panned(dx, dy)),
      zoom: (factor, x, y) => this.move(this.nearer(factor, x * this.canvas.dots, y * this.canvas.dots)),
      point: (x, y) => this.pointAt(x, y),
      // The line below belongs to the trace while there is one.
      pass: (x, y) => this.trace || this.pointAt(x, y),
      key: (key) => this.key(key),
    })
    this.makeControls()
    const recolour = (): void => {
      this.colours = null
      this.paint()
    }
    this.themes.disconnect()
    this.themes = new MutationObserver(recolour)
    this.themes.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour, {
      signal: this.ended.signal,
    })
  }

  private makeControls(): void {
    const words = this.text!.map
    const { controls } = this
    controls.className = 'widget-controls map-controls'
    controls.setAttribute('role', 'group')
    controls.setAttribute('aria-label', this.dataset['title'] ?? '')
    const button = (label: string, key: string): void =>
      controls.append(textButton(label, () => this.key(key)))
    button(words.nearer, '+')
    button(words.farther, '-')
    button(words.whole, '0')
    // The order of the Tab key is that of the eye.
    this.piece('trace').before(controls)
  }

  private addTraces(): void {
    const { controls: words } = this.text!
    this.sayOfTrace = noteLine(this)
    const desk = createTraceDesk(
      words,
      () => import('./map_trace.ts').then(({ createMapTraceReader }) => createMapTraceReader()),
      (text) => this.sayOfTrace(text),
    )
    this.desk = desk
    const take = async (file: Blob, name: string | null): Promise<void> => {
      this.waiting = null
      const read = await desk.open(file, name)
      if (read && read.films.length > 0) this.take(read)
    }
    this.forget = listenForFiles(
      this,
      (file, name) => void take(file, name),
      (over) => this.classList.toggle('widget-over', over),
    )
    this.traceRow = fillTraceRow(this.piece('trace'), words, {
      open: (file) => void take(file, file.name),
      model: () => this.backToModel(),
    })
  }

  /** Shows a trace, now or when there is a map. */
  private take(read: ReadMapTrace): void {
    if (this.worker) this.waiting = read
    else if (this.map) this.play(read, this.map)
    else this.sayOfTrace(`${read.text} ${this.text!.map.noMap}`)
  }

  /** Goes to the page frames of a trace, if they are on this map. */
  private play({ films, text, chosen, start }: ReadMapTrace, map: PageMap): void {
    const words = this.text!.map
    const film = films.find(({ span }) => span.start >= map.startPfn && span.end <= map.endPfn)
    if (!film) {
      const { span } = films[0]!
      const [first, last] = [hexPfn(span.start), hexPfn(span.end - 1)]
      const here = { from: hexPfn(map.startPfn), to: hexPfn(map.endPfn - 1) }
      return this.sayOfTrace(`${text} ${fill(words.outside, { first, last, ...here })}`)
    }
    const hadFocus = this.trace?.strip.contains(document.activeElement) ?? false
    this.closeTrace()
    this.sayOfTrace(`${text}${chosen(film)} ${words.traced}`)
    const [from, to] = [film.span.start - map.startPfn, film.span.end - map.startPfn]
    this.move(viewOf(map, this.canvas.size, boxesOf(from, to, perRowOf(map))))
    this.trace = start(film, this.text!.controls, this.dataset['title'] ?? '', (step) => this.showStep(step))
    this.piece('trace').append(this.trace.strip)
    if (hadFocus) this.trace.strip.querySelector('button')?.focus()
    this.toggleAttribute('data-traced', true)
    this.traceRow?.show(true)
  }

  private showStep({ said, marks, playing }: MapStep): void {
    this.marks = marks
    this.piece('said').setAttribute('aria-live', playing ? 'off' : 'polite')
    this.piece('said').textContent = said
    const first = (marks.about[0] ?? marks.tried)?.start
    if (first !== undefined) this.cursor = first
    this.reveal()
  }

  private closeTrace(): void {
    this.trace?.player.stop()
    this.trace?.strip.remove()
    this.trace = this.marks = this.waiting = null
    this.toggleAttribute('data-traced', false)
    this.traceRow?.show(false)
    this.sayOfTrace('')
  }

  private backToModel(): void {
    this.desk?.stop()
    this.closeTrace()
    this.piece('said').setAttribute('aria-live', 'polite')
    this.say()
    this.paint()
    // The button that was pressed goes.
    this.canvas.element.focus()
  }

  private panned(dx: number, dy: number): View {
    const { x, y, scale } = this.view
    const pages = this.canvas.dots / scale
    return { scale, x: x - dx * pages, y: y - dy * pages }
  }

  private nearer(factor: number, px: number, py: number): View {
    return zoomed(this.map!, this.canvas.size, this.view, factor, px, py)
  }

  private move(view: View): void {
    if (!this.map) return
    this.view = bounded(this.map, this.canvas.size, view)
    const whole = wholeMap(this.map, this.canvas.size).scale
    // Only a map that is larger than its window keeps a finger from turning the page.
    this.canvas.element.toggleAttribute('data-near', this.view.scale > whole * 1.01)
    this.paint()
  }

  /** Once for each frame of the screen, however much has moved. */
  private paint(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0
      if (!this.map) return
      this.colours ??= coloursOf(this)
      this.canvas.paint(this.map, this.view, this.colours, this.cursor, this.marks)
    })
  }

  private say(): void {
    const facts = sayFacts(factsOf(this.map!, this.cursor), this.text!.map)
    const said = this.trace ? `${facts} · ${this.text!.map.ofModel}` : facts
    if (this.piece('said').textContent !== said) this.piece('said').textContent = said
  }

  private pointAt(x: number, y: number): void {
    const { dots } = this.canvas
    const pfn = pfnAt(
      this.map!,
      this.view.x + (x * dots) / this.view.scale,
      this.view.y + (y * dots) / this.view.scale,
    )
    if (pfn === null) return
    // A mouse that passes over a million pages is not read aloud.
    this.piece('said').setAttribute('aria-live', 'off')
    this.cursor = pfn
    this.say()
    this.paint()
  }

  private key(key: string): boolean {
    const map = this.map!
    const { x, y } = placeOf(this.cursor - map.startPfn, perRowOf(map))
    // As far as the eye sees a step: a page when it is near, more when it is small.
    const step = Math.max(1, Math.round((8 * this.canvas.dots) / this.view.scale))
    const way: Record<string, [number, number]> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    }
    const [dx, dy] = way[key] ?? [0, 0]
    const zoom = { '+': STEP, '=': STEP, '-': 1 / STEP, '0': 0 }[key]
    this.piece('said').setAttribute('aria-live', 'polite')
    if (key === 'Home') this.cursor = map.startPfn
    else if (key === 'End') this.cursor = map.endPfn - 1
    else if (dx !== 0 || dy !== 0) this.cursor = pfnAt(map, x + dx, y + dy) ?? this.cursor
    else if (zoom === undefined) return false
    if (zoom !== undefined) this.zoomOnCursor(zoom)
    this.reveal()
    this.say()
    return true
  }

  // 0 is all of it.
  private zoomOnCursor(factor: number): void {
    const { x, y } = placeOf(this.cursor - this.map!.startPfn, perRowOf(this.map!))
    const { scale } = this.view
    const [px, py] = [(x + 0.5 - this.view.x) * scale, (y + 0.5 - this.view.y) * scale]
    this.move(factor === 0 ? wholeMap(this.map!, this.canvas.size) : this.nearer(factor, px, py))
  }

  // Brings the page of the cursor into the window.
  private reveal(): void {
    const { x, y } = placeOf(this.cursor - this.map!.startPfn, perRowOf(this.map!))
    const { width, height } = this.canvas.size
    const { scale } = this.view
    const into = (at: number, from: number, seen: number): number =>
      at < from ? at : at + 1 > from + seen ? at + 1 - seen : from
    this.move({ scale, x: into(x, this.view.x, width / scale), y: into(y, this.view.y, height / scale) })
  }
}

customElements.define('contig-map', ContigMap)
