// SPDX-License-Identifier: MIT
//
// contig results: what a reader has passed, as a file to hand on; what was done elsewhere, taken up here; and what a
// teacher can find out about such files.
import type { Command } from 'commander'

interface ExportOptions {
  name?: string
  answers?: boolean
  force?: boolean
}

interface CheckOptions {
  run: boolean
  json?: boolean
}

export function registerResults(program: Command): void {
  const results = program
    .command('results')
    .description('hand on what you have passed, take up what you did in a page, check what was handed in')
  results
    .command('export')
    .description('write what you have passed into a file')
    .argument('<file>', 'where to; it must not exist')
    .option('--name <name>', 'your name, or what your teacher knows you by')
    .option('--answers', 'include your files, so that they can be run again')
    .option('--force', 'replace the file if it exists')
    .action(exportResults)
  results
    .command('import')
    .description('take up what you have done in a page or on another machine; nothing here is lost')
    .argument(
      '<file>',
      'a progress.json, or a file made by contig results export; the course in a browser saves either',
    )
    .action(importResults)
  results
    .command('check')
    .description('check result files: structure, hashes, seeds; run the answers that are included')
    .argument('<files...>', 'made by contig results export')
    .option('--no-run', 'leave included answers alone: they are programs, and run with your rights')
    .option('--json', 'print JSON')
    .action(async (files: string[], options: CheckOptions) => {
      process.exitCode = await check(files, options)
    })
}

async function exportResults(file: string, { name, answers, force }: ExportOptions): Promise<void> {
  const { existsSync } = await import('node:fs')
  const { resolve } = await import('node:path')
  const { openCourse, progressNotice } = await import('../exercise/course.ts')
  const { writeWhole } = await import('../exercise/files.ts')
  const { makeResults } = await import('../exercise/results.ts')
  const { Complaint } = await import('../lib/complaint.ts')
  if (existsSync(file) && !force) {
    throw new Complaint({
      text: `${file} exists; nothing was written`,
      exitCode: 2,
      next: [`contig results export ${file} --force`],
    })
  }
  const course = openCourse()
  const { results, changed } = makeResults(course, {
    ...(name === undefined ? {} : { reader: name }),
    ...(answers ? { answers } : {}),
  })
  writeWhole(resolve(file), JSON.stringify(results, null, 2) + '\n')
  const without = changed.map(
    (id) => `  ${id}: not included, its files are not those that passed: contig do ${id}\n`,
  )
  process.stdout.write(
    `${progressNotice(course)}${file}: ${results.passed.length} of ${course.exercises.length} exercises passed` +
      `${results.reader === undefined ? ', without a name (--name)' : `, ${results.reader}`}.\n${without.join('')}` +
      `Next: contig results check ${file}\n`,
  )
}

async function importResults(file: string): Promise<void> {
  const { openCourse, progressNotice } = await import('../exercise/course.ts')
  const { takeUp } = await import('../exercise/bring.ts')
  const { readResultFile } = await import('../exercise/results_check.ts')
  const { shortPath } = await import('../exercise/places.ts')
  const { nextUnfinished } = await import('../exercise/record.ts')
  const course = openCourse()
  const { passes, fresh, unknown, laidOut, seed } = takeUp(course, readResultFile(file), file)
  const next = nextUnfinished(course.exercises, course.progress.read())
  const lines = [
    `${file}: ${passes} passed there, ${fresh.length} of them new here${fresh.length > 0 ? `: ${fresh.join(', ')}` : ''}.`,
    ...(laidOut.length > 0 ? ['Your files, laid out where there were none:'] : []),
    ...laidOut.map((path) => `  ${shortPath(path)}`),
    ...(unknown.length > 0 ? [`Not in this course, and kept: ${unknown.join(', ')}`] : []),
    ...(seed === null ? [] : [`Your seed is now ${seed}, as there.`]),
    next ? `Next: contig do ${next.id}` : 'Every exercise is done: contig results export FILE',
  ]
  process.stdout.write(`${progressNotice(course)}${lines.join('\n')}\n`)
}

async function check(files: string[], { run, json }: CheckOptions): Promise<number> {
  const { openCourse } = await import('../exercise/course.ts')
  const { formatChecked, formatLimits } = await import('../exercise/print_results.ts')
  const { LIMITS, parseResults } = await import('../exercise/result_file.ts')
  const { checkResults, inCommon, readResultFile } = await import('../exercise/results_check.ts')
  const { Complaint } = await import('../lib/complaint.ts')
  const { places, exercises } = openCourse()
  const write = (text: string): void => void (json ? process.stderr : process.stdout).write(text)
  const read = []
  let good = true
  for (const file of files) {
    try {
      read.push({ file, results: parseResults(readResultFile(file), file) })
    } catch (error) {
      if (!(error instanceof Complaint)) throw error
      good = false
      process.stderr.write(`${error.message}\n`)
    }
  }
  const checked = []
  for (const { file, results } of read) {
    const onProgress = process.stderr.isTTY
      ? (line: string) => process.stderr.write(`${line} …\n`)
      : undefined
    const how = { root: places.root, exercises, run, ...(onProgress ? { onProgress } : {}) }
    const one = await checkResults(file, results, how)
    checked.push(one)
    write(formatChecked(one, exercises))
    good &&= one.faults.length === 0 && one.entries.every(({ verdict }) => verdict !== 'wrong')
  }
  const common = inCommon(read)
  if (json)
    process.stdout.write(
      JSON.stringify({ version: 1, files: checked, common, limits: LIMITS }, null, 2) + '\n',
    )
  else if (checked.length > 0) write(formatLimits(common, LIMITS))
  return good ? 0 : 1
}
