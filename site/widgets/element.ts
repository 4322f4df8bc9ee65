// SPDX-License-Identifier: MIT
//
// <contig-widget>: the first frame of a film stands in it as HTML (fence.ts writes it), with room for the controls below.
// When it wakes it gets those, asks for the other frames, and shows them one at a time: by its buttons and slider, by the
// arrow keys, Home, End and the space bar, and by playing them. What is shown is also said, in a line that is read aloud.
//
// A trace of a board that is dropped on it, pasted or opened takes the place of the models' frames (traced.ts).
//
// The scenario is an attribute, so that a number in the prose can change it (number.ts); then the models run again.
import { fill } from '../client/words.ts'
import type { WidgetText } from '../text/en_widgets.ts'
import { askFrames } from './ask.ts'
import { type Controls, makeControls } from './controls.ts'
import { type Frame, type KindWords, sentenceOf } from './frame.ts'
import { drawingOf } from './kinds_draw.ts'
import type { FilmKind } from './kinds_frames.ts'
import { morph } from './morph.ts'
import { listenForFiles } from './movie/incoming.ts'
import { widgetText } from './text.ts'
import type { ReadFrames } from './read_events.ts'
import { createTraceDesk, type TraceDesk } from './trace_desk.ts'
import { fillTraceRow, noteLine, type TraceRow } from './trace_row.ts'
import { isTraced } from './traced_kinds.ts'
import { createTurns } from './turns.ts'

/** How long a frame stands while the film plays. */
const FRAME_MS = 1400

export class ContigWidget extends HTMLElement {
  static readonly observedAttributes = ['data-scenario']

  private frames: readonly Frame[] = []
  private at = 0
  private text: WidgetText | null = null
  private controls: Controls | null = null
  private playing = 0
  private asking = false
  private askAgain = false
  /** A step that was wanted before there were frames. */
  private wanted: number | null = null
  private traceRow: TraceRow | null = null
  private sayOfTrace: (text: string) => void = () => undefined
  private desk: TraceDesk<ReadFrames> | null = null
  /** One for the models, one for each trace that came onto the stage: then they answer for nothing any more. */
  private readonly turns = createTurns()
  private forget = (): void => undefined

  private piece(name: string): HTMLElement {
    const found = this.querySelector<HTMLElement>(`.widget-${name}`)
    if (!found) throw new Error(`contig-widget ${this.id}: no element of class widget-${name} inside`)
    return found
  }

  private get kind(): FilmKind {
    return this.dataset['kind'] as FilmKind
  }

  private get words(): KindWords {
    return this.text!.kinds[this.kind]
  }

  connectedCallback(): void {
    if (this.controls) return
    void widgetText().then((text) => {
      this.text = text
      const title = this.dataset['title'] ?? ''
      this.controls = makeControls(text.controls, title, {
        go: (at) => this.stop().go(at),
        play: () => (this.playing ? this.stop() : this.play()),
      })
      // The order of the Tab key is that of the eye.
      this.insertBefore(this.controls.element, this.querySelector('.widget-trace'))
      this.piece('said').setAttribute('aria-live', 'polite')
      this.addEventListener('keydown', (event) => this.key(event))
      this.addTraces(text.controls)
      this.showControls()
      void this.ask()
    })
  }

  disconnectedCallback(): void {
    this.stop()
    this.desk?.stop()
    this.forget()
  }

  attributeChangedCallback(_name: string, before: string | null): void {
    if (before === null || !this.text) return
    this.desk?.stop()
    this.sayOfTrace('')
    this.stop()
    void this.ask()
  }

  /** Runs the models on the scenario as it is now; while they run, only that it must be done again is kept. */
  private async ask(): Promise<void> {
    if (this.asking) {
      this.askAgain = true
      return
    }
    this.asking = true
    try {
      do {
        this.askAgain = false
        const wanted = this.turns.since()
        const frames = await askFrames(this.kind, JSON.parse(this.dataset['scenario'] ?? '{}'))
        if (wanted()) this.take(frames)
      } while (this.askAgain)
    } catch (error) {
      const { failed, unreachable } = this.text!.controls
      const why = error instanceof Error ? error.message || unreachable : String(error)
      this.say(fill(failed, { why }))
    } finally {
      this.asking = false
    }
  }

  // The first frames are those of the page, and nothing moves. Those of a changed scenario show how it ends.
  private take(frames: readonly Frame[]): void {
    const first = this.frames.length === 0
    const wasAtAnEnd = this.at === 0 || this.at === this.frames.length - 1
    this.frames = frames
    this.traceRow?.show(false)
    if (first && this.wanted === null && !this.askAgain && this.dataset['changed'] === undefined)
      return this.showControls()
    this.go(this.wanted ?? (wasAtAnEnd ? frames.length - 1 : this.at))
    this.wanted = null
  }

  /** Shows a step, 0-based; beyond either end is that end. */
  go(at: number): void {
    if (this.frames.length === 0) {
      this.wanted = at
      if (!this.asking) void this.ask()
      return
    }
    this.at = Math.max(0, Math.min(at, this.frames.length - 1))
    const frame = this.frames[this.at]!
    morph(this.piece('stage'), drawingOf(this.kind, frame, this.words))
    this.say(sentenceOf(frame.said, this.words))
    this.showControls()
  }

  private addTraces(words: WidgetText['controls']): void {
    const { kind } = this
    const say = (this.sayOfTrace = noteLine(this))
    const desk = isTraced(kind)
      ? createTraceDesk(
          words,
          () => import('./traced.ts').then(({ createTraceReader }) => createTraceReader(kind)),
          say,
        )
      : null
    const take = async (file: Blob, name: string | null): Promise<void> => {
      if (desk) this.showTrace(await desk.open(file, name))
      else say(words.notTraced)
    }
    this.desk = desk
    this.forget = listenForFiles(
      this,
      (file, name) => void take(file, name),
      (over) => this.classList.toggle('widget-over', over),
    )
    if (!desk) return
    this.traceRow = fillTraceRow(this.piece('trace'), words, {
      open: (file) => void take(file, file.name),
      model: () => this.showModel(),
    })
  }

  /** Puts a trace on the stage; where there is none, the film from before stays. */
  private showTrace(traced: ReadFrames | null): void {
    if (!traced || traced.frames.length === 0) return
    this.turns.next()
    this.askAgain = false
    this.wanted = null
    this.stop()
    this.frames = traced.frames
    this.traceRow?.show(true)
    this.go(0)
  }

  private showModel(): void {
    this.desk?.stop()
    this.sayOfTrace('')
    this.stop()
    this.frames = []
    this.wanted = 0
    void this.ask()
    // The button that was pressed goes.
    this.controls?.element.querySelector('button')?.focus()
  }

  private say(text: string): void {
    const said = this.piece('said')
    if (said.textContent !== text) said.textContent = text
  }

  private showControls(): void {
    const count = this.frames.length || Number(this.dataset['frames'])
    this.controls?.show({ at: this.at, count, playing: this.playing !== 0 })
  }

  private play(): void {
    // While it plays, a reader of screens would speak into its own words.
    this.piece('said').setAttribute('aria-live', 'off')
    const turn = (): void => {
      if (this.at >= this.frames.length - 1) {
        this.stop()
        return
      }
      this.playing = window.setTimeout(turn, FRAME_MS)
      this.go(this.at + 1)
    }
    this.playing = window.setTimeout(turn, FRAME_MS)
    this.go(this.at >= this.frames.length - 1 ? 0 : this.at + 1)
  }

  private stop(): this {
    clearTimeout(this.playing)
    this.playing = 0
    this.querySelector('.widget-said')?.setAttribute('aria-live', 'polite')
    this.showControls()
    return this
  }

  private key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
    const target = event.target as Element
    // The slider has its own arrows, a button its own space bar.
    if (target.localName === 'input' || (event.key === ' ' && target.localName === 'button')) return
    const steps: Record<string, number> = {
      ArrowLeft: this.at - 1,
      ArrowRight: this.at + 1,
      Home: 0,
      End: Infinity,
    }
    const to = steps[event.key]
    if (to === undefined && event.key !== ' ') return
    event.preventDefault()
    if (to !== undefined) this.stop().go(to)
    else if (this.playing) this.stop()
    else this.play()
  }
}

customElements.define('contig-widget', ContigWidget)
