// Intl: what is made at top level is in the snapshot, as if it had been made at run time.
import { area, equal, ok, same, test, throws } from "../harness.js";

const options = { style: "currency", currency: "EUR" };
const money = new Intl.NumberFormat("de-DE", options);
options.currency = "USD";
const locales = ["en-GB"];
const day = new Intl.DateTimeFormat(locales, { dateStyle: "long", timeZone: "Asia/Tokyo" });
locales[0] = "de";
const { compare } = new Intl.Collator("sv", { numeric: true });
const { format } = new Intl.NumberFormat("en", { notation: "compact" });
const plural = new Intl.PluralRules("pl");
const list = new Intl.ListFormat("en", { type: "disjunction" });
const ago = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const names = new Intl.DisplayNames("fr", { type: "region" });
const words = new Intl.Segmenter("en", { granularity: "word" });
const swiss = new Intl.Locale("de-CH", { numberingSystem: "latn" });
const bySwiss = new Intl.NumberFormat(swiss);
const byList = new Intl.PluralRules([swiss, "en"]);
const withoutNew = Intl.NumberFormat("en");
class Percent extends Intl.NumberFormat {
    #suffix;
    constructor(suffix) {
        super("en", { style: "percent" });
        this.#suffix = suffix;
    }
    show(value) {
        return this.format(value) + this.#suffix;
    }
}
const percent = new Percent("!");

test("formatters of the top level", () => {
    equal(money.format(1234.5), "1.234,50\u00a0\u20ac");
    equal(money.formatToParts(1).length, 5);
    equal(day.format(0), "1 January 1970");
    equal(day.formatRange(0, 1e9), "1\u201312 January 1970");
    equal(["\u00e5", "a10", "z", "a9"].sort(compare).join(), "a9,a10,z,\u00e5");
    equal(format(12345), "12K");
    equal(plural.select(2), "few");
    equal(list.format(["a", "b"]), "a or b");
    equal(ago.format(-1, "day"), "yesterday");
    equal(names.of("DE"), "Allemagne");
    same(
        [...words.segment("a b")].map(({ segment }) => segment),
        ["a", " ", "b"]
    );
    equal(`${swiss} ${swiss.language} ${swiss.region}`, "de-CH-u-nu-latn de CH");
    equal(bySwiss.format(1234), "1\u2019234");
    equal(byList.resolvedOptions().locale, "de");
    equal(withoutNew.format(1234), "1,234");
    equal(percent.show(0.5), "50%!");
    equal(money.resolvedOptions().currency, "EUR");
    equal(day.resolvedOptions().timeZone, "Asia/Tokyo");
});

test("they are what they seem to be", () => {
    ok(money instanceof Intl.NumberFormat);
    ok(percent instanceof Percent && percent instanceof Intl.NumberFormat);
    equal(money.constructor, Intl.NumberFormat);
    equal(Object.prototype.toString.call(day), "[object Intl.DateTimeFormat]");
    equal(money.format, money.format);
    equal(Intl.NumberFormat.name, "NumberFormat");
    equal(Intl.NumberFormat.length, 0);
    equal(Object.getOwnPropertyDescriptor(Intl, "NumberFormat").value, Intl.NumberFormat);
    equal(Intl.NumberFormat.prototype.formatToParts.name, "formatToParts");
    equal(Intl.NumberFormat.prototype.formatToParts.length, 1);
    same(Intl.NumberFormat.supportedLocalesOf(["de", "xx-none"]), ["de"]);
    same(Object.keys(money), []);
});

test("what is made in a call", () => {
    equal(new Intl.NumberFormat("de").format(0.5), "0,5");
    equal(new Intl.DateTimeFormat("en", { timeZone: "UTC" }).format(new Date(0)), "1/1/1970");
    equal(new Intl.Locale("zh").maximize().toString(), "zh-Hans-CN");
    equal((1234.5).toLocaleString("de"), "1.234,5");
});

test("errors", () => {
    throws(RangeError, () => new Intl.NumberFormat("en", { style: "none" }));
    throws(RangeError, () => new Intl.DateTimeFormat("en", { timeZone: "None/None" }));
    throws(TypeError, () => Intl.ListFormat("en"));
    throws(TypeError, () => Intl.NumberFormat.prototype.formatToParts.call({}, 1));
    throws(TypeError, () => Object.create(money).resolvedOptions());
});

export default area;
