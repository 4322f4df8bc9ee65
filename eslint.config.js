// SPDX-License-Identifier: MIT
import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  {
    ignores: ['dist/', '_site/', 'workspace/', 'coverage/', 'test/**/fixtures/', 'chapters/**/exercises/'],
  },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: "BinaryExpression[operator='>>>'][right.value=0]",
          message: 'An address is a number beyond 32 bits: use the helpers of code/lib/units.ts.',
        },
      ],
      eqeqeq: 'error',
    },
  },
  {
    files: ['code/{lib,arch,mm,of,dma,machine}/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['window', 'document', 'process', 'Buffer', 'setTimeout', 'performance', 'Date'].map((name) => ({
          name,
          message: 'The models are isomorphic and deterministic: no host, no DOM, no clock.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is a seeded Rng handed in.' },
      ],
      'no-restricted-imports': ['error', { patterns: ['node:*'] }],
      'no-console': 'error',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
)
