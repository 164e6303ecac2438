// Names that other tools and papers use, with what Heed has in their place.

/** By the name of a command in another tool. */
const commands: Readonly<Record<string, string>> = {
  run: 'Use: heed chat MODEL, or heed generate MODEL --prompt TEXT',
  finetune: 'Use: heed train --from MODEL --data FILE --out RUN',
  'fine-tune': 'Use: heed train --from MODEL --data FILE --out RUN',
  resume: 'Use: heed train --resume --out RUN',
  infer: 'Use: heed predict MODEL',
  evaluate: 'Use: heed eval RUN',
  test: 'Use: heed eval RUN --data FILE',
  download: 'Use: heed pull OWNER/MODEL',
  upload: 'Use: heed push FOLDER OWNER/MODEL',
  serve:
    'Heed has no server. In a Node server, import pipeline from heed/pipelines or Chat from heed/generate; in a shell, pipe lines to heed predict.',
  list: 'Models and runs are folders: list the folders that hold them. heed inspect FOLDER shows one model.',
  quantize:
    'heed generate MODEL --quantize q8_0 quantizes the weights when it opens a model. GGUF files stay quantized.',
}

/** By the name of an architecture that is not a `model_type`. */
const models: Readonly<Record<string, string>> = {
  rnn: 'Use: heed train seq2seq_rnn --set cell_type=rnn, a recurrent encoder-decoder that translates',
  lstm: 'Use: heed train seq2seq_rnn --set cell_type=lstm, a recurrent encoder-decoder that translates',
  gru: 'Use: heed train seq2seq_rnn --set cell_type=gru, a recurrent encoder-decoder that translates',
  transformer:
    'Use: heed train marian, the Transformer of 2017, which translates. gpt2 has its decoder only, bert its encoder.',
  nanogpt:
    'nanoGPT trains a GPT-2. Use: heed train gpt2 --layers 6 --heads 6 --dim 384 --context 256 --batch 8',
  gpt: 'Use: heed train gpt2, or openai-gpt for the GPT of 2018. examples/gpt.ts is a whole GPT in one file.',
}

/** Options of other tools by the option of Heed that sets the same, without case, `-` and `_`. */
const options: Readonly<Record<string, readonly string[]>> = {
  '--lr': ['learningrate'],
  '--batch': ['batchsize', 'trainbatchsize', 'perdevicetrainbatchsize', 'perdeviceevalbatchsize'],
  '--accumulate': ['gradientaccumulationsteps', 'gradaccum'],
  '--epochs': ['numepochs', 'numtrainepochs', 'nepochs'],
  '--steps': ['maxsteps', 'maxiters', 'numsteps', 'numiterations'],
  '--warmup': ['warmupsteps', 'numwarmupsteps', 'warmupiters'],
  '--schedule': ['lrschedulertype', 'lrscheduler', 'scheduler'],
  '--clip': ['maxgradnorm', 'gradclip', 'clipgradnorm'],
  '--weight-decay': ['wd'],
  '--out': ['output', 'outputdir', 'outdir', 'saveto'],
  '--from': ['model', 'modelnameorpath', 'checkpoint', 'pretrained', 'base', 'initfrom'],
  '--data': ['dataset', 'datasetname', 'trainfile', 'input', 'file', 'datadir'],
  '--val-data': ['validationfile', 'evalfile', 'valfile'],
  '--val-fraction': ['validationsplit', 'valsplit', 'testsize'],
  '--layers': ['numlayers', 'nlayer', 'nlayers', 'depth', 'numhiddenlayers'],
  '--heads': ['numheads', 'nhead', 'nheads', 'numattentionheads'],
  '--dim': ['hiddensize', 'nembd', 'dmodel', 'width'],
  '--context': ['contextlength', 'blocksize', 'ctxsize', 'maxlength', 'maxseqlen', 'maxseqlength'],
  '--eval-every': ['evalsteps', 'evalinterval'],
  '--save-every': ['savesteps', 'saveinterval'],
  '--log-every': ['loggingsteps', 'loginterval'],
  '--optimizer': ['optim'],
  '--tokens': ['maxtokens', 'maxnewtokens', 'npredict', 'n'],
  '--temperature': ['temp'],
  '--repetition-penalty': ['repeatpenalty'],
  '--beams': ['numbeams', 'beamsize'],
  '--system': ['systemprompt', 'sys'],
  '--draft': ['modeldraft', 'assistantmodel'],
  '--json-schema': ['schema', 'grammar'],
}

/** The option in place of one of another tool, if the command has it. */
export function optionFor(flag: string, known: readonly string[]): string | undefined {
  const name = flag.toLowerCase().replaceAll(/[-_]/g, '')
  return known.find((option) => Object.hasOwn(options, option) && options[option].includes(name))
}

/** What to use in place of a command of another tool. */
export const commandFor = (name: string): string | undefined => lookUp(commands, name)

/** What to train in place of an architecture that is not a `model_type`. */
export const modelFor = (name: string): string | undefined => lookUp(models, name)

function lookUp(names: Readonly<Record<string, string>>, name: string): string | undefined {
  const key = name.toLowerCase()
  return Object.hasOwn(names, key) ? names[key] : undefined
}
