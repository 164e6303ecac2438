export const introduction = `# Coming from PyTorch`
