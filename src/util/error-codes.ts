interface CodeDefinition {
  /** What happened. */
  readonly meaning: string
  /** What usually helps. The `remedy` of an error is more specific. */
  readonly remedy: string
}

/** The codes of errors. The documentation lists this table. */
export const errorCodes = {
  'invalid-option': {
    meaning: 'An argument, option, flag or environment variable has an invalid value.',
    remedy: 'Use one of the values that the message lists; `details.try` has them by key.',
  },
  'unknown-name': {
    meaning:
      'There is no model type, task, head, device, preset, config key, flag or command with this name.',
    remedy:
      'Correct the spelling; the remedy names the most similar name. If a module registers the name, import it first.',
  },
  'already-exists': {
    meaning: 'A name is already registered, or a file or folder exists and must not be replaced.',
    remedy: 'Choose another name or folder. To continue a run, resume it.',
  },
  'invalid-config': {
    meaning:
      '`config.json`, `tokenizer.json` or another settings file of a model has an invalid key or value.',
    remedy: 'Correct the named key, or download the model again.',
  },
  'invalid-data': {
    meaning:
      'A task cannot use the rows, texts, labels or images. Up to 20 faults are listed with file and line.',
    remedy: 'Correct the data, or name other columns. `heed data FILE` shows what Heed reads.',
  },
  'missing-file': {
    meaning: 'A file or folder does not exist, or a model folder lacks a required file.',
    remedy: 'Check the path. A model of the hub is downloaded with `heed pull OWNER/MODEL`.',
  },
  'corrupt-file': {
    meaning: 'A file is damaged, truncated, or in another format than its name says.',
    remedy: 'Copy or download it again. `heed verify FOLDER` checks all files of a run or model.',
  },
  'file-system': {
    meaning:
      'A file or folder cannot be read or written: no permission, a full disk, a file that another program has open.',
    remedy: 'Free space, change permissions, or use another folder.',
  },
  network: {
    meaning: 'The hub cannot be reached, or it refused a request.',
    remedy: 'Check the network, `HF_ENDPOINT` and `HF_TOKEN`. Local folders work offline.',
  },
  unsupported: {
    meaning:
      'The request is valid, but Heed, this model, this device or this machine does not support it.',
    remedy: 'Use the alternative that the remedy names.',
  },
  'invalid-state': {
    meaning:
      'A call at the wrong time: `step()` without gradients, a closed file, a second profile while one is running.',
    remedy: 'Make the calls in the order that the remedy describes.',
  },
  shape: {
    meaning: 'Shapes or dtypes of tensors do not fit an operation. The class is `ShapeError`.',
    remedy:
      'Compare the shapes in the message. `HEED_DEBUG=1` adds the line that created each tensor.',
  },
  'stale-tensor': {
    meaning:
      'A tensor was read after parameters or other state that it depends on had changed. The class is `StaleTensorError`.',
    remedy: 'Read it before `step()`, or keep it: `step({ keep: [x] })`.',
  },
  'out-of-memory': {
    meaning:
      'Tensors need more memory than the device or `HEED_MEMORY` allows. The class is `OutOfMemoryError`; its message names the largest owners.',
    remedy:
      'Use a smaller `batch` with a larger `accumulate`, a shorter context, a quantised model, or `checkpoint` in the forward pass.',
  },
  diverged: {
    meaning: 'The loss is NaN or infinite. The last checkpoint has finite weights.',
    remedy:
      'Use a smaller learning rate, a longer warm-up or gradient clipping. `findNaN` names the operation.',
  },
} as const satisfies Record<string, CodeDefinition>

/**
 * Codes of the errors that Heed reports. Programs should compare codes and `details`, because the wording of messages
 * may change at any time.
 * @useDeclaredType
 */
export type ErrorCode = keyof typeof errorCodes
