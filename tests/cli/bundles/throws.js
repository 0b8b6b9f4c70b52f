function inner() {
    throw new Error("broken at the top");
}
inner();
export default { fetch() {} };
