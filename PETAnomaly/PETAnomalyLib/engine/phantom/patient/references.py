"""Where the numbers of patients come from: the names that stand beside them, and the works."""

from __future__ import annotations

CONSENSUS = "consensus"

REFERENCES: dict[str, str] = {
    CONSENSUS: "a figure of textbooks and of everyday reading, without one study behind it",
    "ICRP 89": "ICRP Publication 89, Annals of the ICRP 32 (2002): reference masses, here by the "
    "tissue's density",
    "ICRP 110": "ICRP Publication 110, Annals of the ICRP 39 (2009): adult reference phantoms",
    "SHIP 2018": "Liver volume by MRI, Study of Health in Pomerania, Eur J Radiol 106:32 (2018)",
    "SHIP 2024": "Renal volume by MRI, Study of Health in Pomerania, J Clin Med 13:769 (2024)",
    "Prassopoulos 1997": "Prassopoulos, Eur Radiol 7:246 (1997): splenic volume by CT",
    "Caglar 2014": "Caglar, Folia Morphol 73 (2014): splenic volume by CT",
    "Saisho 2007": "Saisho, Clin Anat 20:933 (2007): pancreas by CT from birth to 100 years",
    "Kipp 2019": "Kipp, Abdom Radiol 44:958 (2019): pancreatic volume by CT",
    "Bukhari 2014": "Bukhari, Ophthalmic Plast Reconstr Surg 30:388 (2014): lacrimal gland by MRI",
    "Nishida 1996": "Nishida, Jpn J Ophthalmol 40:439 (1996): eye muscles by MRI",
    "Well 2007": "Well, Semin Nucl Med (2007): uterus, ovary, testis and prostate over age",
    "Pavlik 2000": "Pavlik, Gynecol Oncol 77:410 (2000): ovarian volume over age",
    "Araki 2016": "Araki, Eur Radiol (2016): the thymus of 2,540 adults by CT",
    "Baron 1982": "Baron, Radiology 142:121 (1982): CT of the normal thymus",
    "Nakahara 2001": "Nakahara, Br J Radiol (2001): FDG and CT of the normal thymus at 18 to 29",
    "Seoul 1999": "J Korean Acad Oral Maxillofac Radiol 29:209 (1999): CT of salivary glands",
    "Piekarski 1980": "Piekarski, Radiology 137:727 (1980): CT numbers of liver and spleen",
    "Liver CT 2019": "Int J Legal Med (2019): CT numbers of livers with known histology",
    "Jang 2019": "Jang, Radiology (2019): attenuation of L1 in 20,000 adults over age",
    "Wang 2007": "Wang, Mol Imaging Biol 9:83 (2007): SUV atlas of normal tissues",
    "Nakamoto 2005": "Nakamoto, Radiology 234:879 (2005): FDG of the normal head and neck",
    "Zincirkeser 2007": "Zincirkeser, J Int Med Res (2007): SUVs of normal organs",
    "Paquet 2004": "Paquet, J Nucl Med 45 (2004): variability of SUVs in normal tissues",
    "Boktor 2013": "Boktor, J Nucl Med 54:677 (2013): SUV of blood pool and liver",
    "Dias 2022": "Dias, EJNMMI Res 12 (2022): normal values of 126 patients",
    "Kitajima 2007": "Kitajima, Ann Nucl Med 21:405 (2007): FDG of the normal testis",
    "Lerman 2004": "Lerman, J Nucl Med 45:266 (2004): endometrium and ovaries over the cycle",
    "Kim 2019": "Kim, Radiol Oncol 53:293 (2019): FDG of ovaries over the cycle",
    "Laffon 2011": "Laffon, J Nucl Med Technol 39:258 (2011): SUV of the liver over time",
    "PMID 25030283": "FDG of normal tissues at 1, 2 and 3 hours (2014)",
    "Viglianti 2017": "Viglianti, Biomed Pharmacother (2017): glucose and SUV of brain and liver",
    "Lindholm 2013": "Lindholm, EJNMMI Res 3:50 (2013): glucose and the SUV of normal tissues",
    "Sprinz 2018": "Sprinz, Sci Rep (2018): glucose and the SUV of normal organs, 5,623 patients",
    "Sarikaya 2020": "Sarikaya, J Nucl Med Technol 48:163 (2020): SUV of obese patients",
    "Deurenberg 1991": "Deurenberg, Br J Nutr (1991): body fat from body mass index, age and sex",
    "PMC7408629": "Patterns of the heart in 302 oncological PET/CTs (2020)",
    "Kumar 2014": "Kumar, Indian J Nucl Med 29:140 (2014): fasting and the heart's FDG",
    "Cypess 2009": "Cypess, N Engl J Med 360:1509 (2009): brown fat in 1,972 patients",
    "PMC5594988": "Brown fat in 15,109 PET/CTs",
    "Ports": "Ports in 897 of 2,442 PET/CTs of patients with cancer, one hospital, 3 years",
    "Kremers 2015": "Kremers, J Bone Joint Surg Am (2015): hip and knee replacement in the USA",
    "Osman 2011": "Osman, Front Oncol (2011): extravasation in FDG PET/CT",
    "Yasuda 1998": "Yasuda, Tokai J Exp Clin Med 23:241 (1998): FDG of the bowel, 1,068 healthy",
}
"""Name to work. No DOI stands here that was not looked at."""


def cited(source: str) -> list[str]:
    """The names in a `source`, which are separated by semicolons."""
    return [name.strip() for name in source.split(";")]
