"""Writes sacrebleu/cases.json: small corpora with the BLEU and chrF that sacreBLEU's defaults give them.

Needs: pip install sacrebleu. Run: python tests/golden/make_sacrebleu.py. The same version writes the same file.
"""

import json
import pathlib
import random

import sacrebleu
from sacrebleu.metrics import BLEU, CHRF

GERMAN = [
    "Ein kleines Mädchen klettert in ein Spielhaus aus Holz.",
    "Zwei Männer in blauen Hemden stehen auf einer Leiter und putzen ein Fenster.",
    "„Wo ist der Hund?“, fragte sie; »Im Garten«, sagte er.",
    "Der Preis stieg von 1.000,50 € auf 2.345.678,9 € – ein Plus von 3,5 %.",
    "Am 3. Oktober 1990, um 12:30 Uhr, läuteten alle Glocken.",
    "Die Straßenbahn-Linie 5-7 fährt nicht; siehe https://www.example.org/a_b?c=1&d=2.",
    "Eine Frau mit großer Tasche geht über die Straße, während ein Kind lacht.",
    "Übermäßig viele Köche verderben den süßen Brei …",
]
ENGLISH = [
    "A little girl is climbing into a wooden playhouse.",
    "Two men in blue shirts are standing on a ladder cleaning a window.",
    "\"Where's the dog?\" she asked; 'in the garden', he said.",
    "The price rose from $1,000.50 to $2,345,678.9 -- a 3.5% gain.",
    "On 3 October 1990, at 12:30 p.m., all the bells rang.",
    "Tram line 5-7 isn't running (see https://www.example.org/a_b?c=1&d=2).",
    "A woman with a large bag crosses the street while a child laughs.",
    "E-mail me at first.last@example.com, or call 555-1234 [ext. 6].",
]
ENTITIES = [
    "He said &quot;yes&quot; &amp; left.",
    "a &lt; b &amp;&amp; c &gt; d",
    "&amp;quot; is not &quot; and &amp;lt; is odd",
    "caf&eacute; &#39;quoted&#39; &apos;too&apos; &",
]
SCRIPTS = [
    "小さな女の子が木製のおもちゃの家に登っている。",
    "两个穿蓝衬衫的男人站在梯子上，擦窗户。",
    "두 남자가 사다리 위에 서 있다.",
    "Маленькая девочка забирается в домик, а мальчик — нет.",
    "طفلة صغيرة تتسلق إلى بيت خشبي، والولد ينظر.",
    "Ça coûte 12,5 € à l’été ; n’est-ce pas ?",
]
EMOJI = ["I ❤️ this 👩‍👩‍👧 family 🎉🎉!", "👍🏽 ok 🇩🇪-🇬🇧", "e\u0301 is not é, but 𝒳 is 1 character"]
PUNCTUATION = [
    "... , , .. ,. a.b,c 1.2,3 .5 5. -5 5- 5-5 a-b --",
    "{x} [y] (z) `q` ~t ^u _v_ |w| \\back /slash @at #tag $1 %2 *3 +4 =5 <6> ;7 :8 !9 ?0",
    "«a» ‚b‘ “c” ‹d› – — … · • † ‡ § ¶ № ™",
    "U.S.A. vs. U.K., 3,000.00.- 1,.2 ,3. 4.,",
    "don't can't o'clock 'tis rock'n'roll",
]
SPACES = [
    "tab\tbetween\twords",
    "  leading and trailing  ",
    "no\u00a0break\u202fspace and\u3000wide\u2003em",
    "line\u2028separator\u0085next\x1cfile\x1funit\x0bvertical",
    "zero\u200bwidth joiner\u200d stays \ufeff here",
]


def mutate(line, rng, rate):
    """Drops, doubles, swaps and replaces some words, as a mediocre translator would."""
    words = line.split(" ")
    result = []
    for word in words:
        luck = rng.random()
        if luck < rate / 4:
            continue
        if luck < rate / 2:
            result += [word, word]
        elif luck < rate * 3 / 4:
            result.append(rng.choice(words))
        elif luck < rate and result:
            result.insert(len(result) - 1, word)
        else:
            result.append(word)
    return " ".join(result)


def cases(rng):
    def mutated(name, lines, rate):
        return name, [mutate(line, rng, rate) for line in lines], lines

    yield "identical", GERMAN, GERMAN
    yield mutated("german, few mistakes", GERMAN, 0.1)
    yield mutated("german, many mistakes", GERMAN, 0.4)
    yield mutated("english, few mistakes", ENGLISH, 0.1)
    yield mutated("english, many mistakes", ENGLISH, 0.5)
    yield mutated("quotes", [GERMAN[2], ENGLISH[2], PUNCTUATION[2]], 0.3)
    yield mutated("numbers", [GERMAN[3], ENGLISH[3], GERMAN[4], ENGLISH[4]], 0.3)
    yield mutated("urls", [GERMAN[5], ENGLISH[5], ENGLISH[7]], 0.2)
    yield mutated("entities", ENTITIES, 0.3)
    yield "entities against characters", ENTITIES, [
        "He said \"yes\" & left.", "a < b && c > d", "&quot; is not \" and < is odd", "café 'quoted' 'too' &"]
    yield mutated("other scripts", SCRIPTS, 0.3)
    yield "cjk, characters changed", [SCRIPTS[0][2:], SCRIPTS[1][::-1]], SCRIPTS[:2]
    yield mutated("emoji", EMOJI, 0.3)
    yield mutated("punctuation", PUNCTUATION, 0.2)
    yield "punctuation, joined", [line.replace(" ", "") for line in PUNCTUATION], PUNCTUATION
    yield mutated("white space", SPACES, 0.2)
    yield "white space against single spaces", SPACES, [" ".join(line.split()) for line in SPACES]
    yield "no match at all", ["xx yy zz ww", "qq rr"], ["aa bb cc dd", "ee ff gg"]
    yield "nothing said", ["", "", ""], ["a b c", "d", "e f"]
    yield "nothing asked", ["a b c", "d"], ["", ""]
    yield "all empty", ["", " "], ["", "\t"]
    yield "some empty", ["", GERMAN[0], "   ", GERMAN[1]], [GERMAN[0], "", GERMAN[1], GERMAN[1]]
    yield "one word each", ["Hund", "Katze", "Maus"], ["Hund", "Kater", "Maus"]
    yield "three words each, no 4-gram", ["the big dog", "a small cat"], ["the big dog", "a tiny cat"]
    yield "smoothing of two lengths", ["the cat sat on a mat now", "b a"], ["a mat sat the cat now on", "a b"]
    yield "very short", [line[:12] for line in GERMAN], GERMAN
    yield "very long", [line + " " + line + " und so weiter" for line in ENGLISH], ENGLISH
    yield "case matters", [line.lower() for line in GERMAN], GERMAN
    yield "skipped and broken lines", ["<skipped>", "a <skipped>b c d e", "half-\nway there", "two\nlines here, too-\n"], [
        "nothing", "a b c d e", "halfway there", "two lines here, too-"]
    pool = GERMAN + ENGLISH + ENTITIES + SCRIPTS + EMOJI + PUNCTUATION + SPACES
    references = [rng.choice(pool) for _ in range(60)]
    yield "a bit of everything", [mutate(line, rng, rng.random() / 2) for line in references], references


def score(name, hypotheses, references):
    bleu, chrf = BLEU(), CHRF()
    words = bleu.corpus_score(hypotheses, [references])
    characters = chrf.corpus_score(hypotheses, [references])
    return {
        "name": name,
        "hypotheses": hypotheses,
        "references": references,
        "bleu": words.score,
        "precisions": words.precisions,
        "brevity_penalty": words.bp,
        "hypothesis_length": words.sys_len,
        "reference_length": words.ref_len,
        "bleu_signature": str(bleu.get_signature()),
        "bleu_line": words.format(signature=str(bleu.get_signature())),
        "chrf": characters.score,
        "chrf_signature": str(chrf.get_signature()),
    }


def main():
    scored = [score(*case) for case in cases(random.Random(20160801))]
    path = pathlib.Path(__file__).parent / "sacrebleu" / "cases.json"
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in scored)
    path.write_text(f'{{"sacrebleu": "{sacrebleu.__version__}", "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path}: {len(scored)} cases by sacreBLEU {sacrebleu.__version__}")


if __name__ == "__main__":
    main()
