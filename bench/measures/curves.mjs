export const curves = [];
